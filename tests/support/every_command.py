"""Every command line there is, from the command group itself, and a project on which each of them runs."""

from __future__ import annotations

import click

from reconciler.cli.main import cli

SESSION_ID = "canarysessionid7f3a9"

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: acme}}
spec:
  manifests: [manifests]
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: {url}
      timeout: 20
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
      settle_after: 0
    admin:
      provider: bookingbug-admin
      base_url: {url}
      company_id: 37004
      timeout: 20
      auth: {{app_id: {{env: BB_APP_ID}}, app_key: {{env: BB_APP_KEY}}, {login}}}
      settle_after: 0
    shop:
      provider: checkfront
      base_url: {url}
      timeout: 20
      auth: {{key: {{env: CF_KEY}}, secret: {{env: CF_SECRET}}}}
      settle_after: 0
"""

BY_TOKEN = "auth_token: {env: BB_TOKEN}"

BY_LOGIN = "email: {env: BB_EMAIL}, password: {env: BB_LOGIN}"

ITEM = {"key": "room", "item_id": 17, "start_date": "2031-07-07", "end_date": "2031-07-09", "params": {"guests": 2}}

EXTRA = {
    "adopt": [["Resource/court-1"], ["Session/yoga", "123"], ["BookingSession/trip", SESSION_ID], ["--all"]],
    "export": [[], ["--out", "exported"], ["--id", SESSION_ID, "--out", "exported", "--force"]],
    "apply": [["--yes"], ["no-such.plan"], ["reconciler.yaml"], []],
    "destroy": [["--yes"]],
    "plan": [["--detailed-exitcode"], ["--out", "saved.plan"]],
    "show": [["saved.plan"]],
    "schema": [[], ["Session"], ["--list"]],
    "fmt": [[], ["--check"], ["--diff"], ["no-such.yaml"]],
    "scaffold": [["Session"], ["Sesion"], ["Block", "closed"], ["Block", "Closed"]],
    "explain": [["Session"], ["Nothing"]],
    "why": [["Session/yoga"], ["Session/yoga.price", "--offline"], ["Nothing"]],
    "sandbox": [["--option", "help"], ["--option", "nonsense"]],
    "demo": [["--help"]],
    "state show": [["Session/yoga"], ["BookingSession/trip"]],
    "state mv": [["Block/closed", "Block/shut", "--dry-run"], ["Block/none", "Block/shut"]],
    "state rm": [["Session/nothing"]],
    "state restore": [["saved.plan"], ["no-such.db"]],
    "state unlock": [["0"]],
    "ci comment": [["12", "--key", "plan", "--body", "saved.plan"]],
    "ci compare": [["saved.plan", "--reviewed", "reviewed"]],
    "ci decisions": [["12", "--out", "decisions.json"]],
    "ci issue": [["--key", "drift", "--title", "Drift", "--code", "0"]],
    "ci propose": [["no-such.patch", "--in", ".", "--base", "main", "--title", "Accept"]],
}
"""What a command needs beside its options; any other is run with none."""


def every_command(group=cli, prefix=()):
    """Return (words, command) for each command there is, in groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*prefix, name))
        else:
            yield (*prefix, name), command


def command_lines():
    """Return every command in every format it has, with -v where it takes it."""
    for words, command in every_command():
        options = {option: parameter for parameter in command.params for option in parameter.opts}
        forms = getattr(options["--format"].type, "choices", [None]) if "--format" in options else [None]
        for extra in EXTRA.get(" ".join(words), [[]]):
            for form in forms:
                line = [*words, *extra, *(["--format", form] if form else [])]
                yield line + (["-v"] if "-v" in options else [])
                if form and "--output" in options:
                    yield [*line, "--output", f"out.{form}"]
