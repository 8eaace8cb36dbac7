"""Coverage-guided fuzzing of one parser of remote answers; not part of `make test`.

python tests/fuzz/fuzz_answers.py block -max_total_time=600

Needs `pip install -e .[fuzz]`. What it finds goes to tests/corpus/answers/PARSER/, which a normal test replays.
"""

import json
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

with atheris.instrument_imports(include=["reconciler"]):
    from hostile import PARSERS, SAMPLES, allowed


def main() -> None:
    """Fuzz the parser that the command line names, from its documented sample on."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in PARSERS:
        sys.exit(f"expected one of {', '.join(sorted(PARSERS))}")
    seeds = HERE.parent.parent / "build" / "fuzz" / name
    found = HERE.parent / "corpus" / "answers" / name
    for folder in (seeds, found):
        folder.mkdir(parents=True, exist_ok=True)
    sample = SAMPLES[name]
    (seeds / "sample").write_bytes(sample if isinstance(sample, bytes) else json.dumps(sample).encode())
    options = [f"-artifact_prefix={found}/", "-timeout=10", "-rss_limit_mb=1024", "-max_len=8192", *sys.argv[2:]]
    atheris.Setup([sys.argv[0], *options, str(seeds)], lambda body: allowed(name, body))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
