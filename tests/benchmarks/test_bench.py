"""The tables of the benchmarks say what was measured: pairs of one round, medians, and whether a goal is met."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "docs" / "reference"))
import bench
import performance_page
from measuring import Failed, Line, Sample, alternate, ratios, run

LINE = {"row": "plan", "what": "a plan", "unit": "times", "goal": 1.5, "reference": "1 s", "remark": ""}
RUN = {
    "date": "2027-03-01T10:00:00+00:00",
    "machine": {"cores": 2, "processor": "P"},
    "python": "3.11.7",
    "commits": {"now": "1234abcd", "before": "5678abcd"},
    "rounds": 3,
    "seconds": 9,
}


def test_a_process_is_measured_with_what_it_used(tmp_path):
    code = "data = b'x' * 100_000_000; import time; time.sleep(0.2); sum(range(3_000_000))"
    found = run([sys.executable, "-c", code], tmp_path, {})
    assert found.wall > 0.2
    assert 0 < found.cpu < found.wall
    assert 100 < found.rss < 130
    assert found.ended


def test_a_command_that_fails_is_not_measured(tmp_path):
    with pytest.raises(Failed, match="exit code 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, {})


def test_a_command_is_stopped_at_the_limit(tmp_path):
    assert not run([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, {}, limit=0.2).ended


def test_contenders_take_turns_and_are_compared_within_a_round():
    order = []

    def contender(name, walls):
        return lambda: order.append(name) or Sample(next(walls), 0, 0)

    taken = alternate({"ref": contender("ref", iter([1, 2])), "now": contender("now", iter([3, 8]))}, 2)
    assert order == ["ref", "now", "now", "ref"]
    assert ratios(taken, ["now", "before"], "ref", "wall") == {"now": [3, 4]}


@pytest.mark.parametrize(("figures", "verdict"), [([1.0, 2.0, 1.5], "met"), ([1.6, 1.6, 1.0], "missed"), ([], "none")])
def test_a_goal_is_met_if_the_median_is_within_it(figures, verdict):
    assert Line(what="", unit="", goal=1.5, figures={"now": figures}).verdict == verdict


def test_several_runs_are_recorded_and_shown_with_their_spread(tmp_path, monkeypatch):
    files = []
    for number, figures in enumerate([{"now": [1.4, 1.5, 9], "before": [3]}, {"now": [2], "before": [4]}]):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps({**RUN, "lines": [{**LINE, "figures": figures}]}), encoding="utf-8")
    for module in (bench, performance_page):
        monkeypatch.setattr(module, "RECORDED", tmp_path / "recorded.json")
    monkeypatch.setattr(bench.subprocess, "run", lambda *_, **__: None)
    bench.record(files)
    page = "\n".join(performance_page.performance_page())
    assert "Runs: 2, on 2027-03-01, on 2 cores (P), Python 3.11.7, commit 1234abcd, beside commit 5678abcd" in page
    assert "| a plan | ≤ 1.5 | 1.75 (1.5–2) | 3.5 (3–4) | times | 1 s | no |" in page
