"""An emulator of the tool hire API for tests. It shares no code with the provider: a mistake would be in both."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.testing import Emulator

TOKEN, DEPOT = "emulated-token", "lds"


class ToolHireEmulator(Emulator):
    """The API of one depot. reconciler.testing adds the faults, and the log of calls."""

    def __init__(self, port: int = 0) -> None:
        self.tools: dict[int, dict[str, Any]] = {}
        self._last = 100
        tools, tool = f"/v1/depots/{DEPOT}/tools", f"/v1/depots/{DEPOT}/tools/{{id:int}}"
        routes = [Route(tools, self._all, methods=["GET", "POST"])]
        routes += [Route(tool, self._one, methods=["GET", "PATCH", "DELETE"])]
        super().__init__(Starlette(routes=routes), port=port)

    def add(self, **fields: Any) -> int:
        """Add a tool outside reconciler."""
        self._last += 1
        defaults = {"day_rate": "0.00", "quantity": 1, "serviced_on": None, "retired": False}
        self.tools[self._last] = {"id": self._last, **defaults, **fields}
        return self._last

    async def _all(self, request: Request) -> Response:
        if request.headers.get("x-token") != TOKEN:
            return JSONResponse({"error": "wrong token"}, 401)
        if request.method == "GET":
            return JSONResponse({"total": len(self.tools), "tools": list(self.tools.values())})
        fields = await request.json()
        if any(tool["name"] == fields["name"] for tool in self.tools.values()):
            return JSONResponse({"error": "this name is taken"}, 422)
        return JSONResponse(self.tools[self.add(**fields)], 201)

    async def _one(self, request: Request) -> Response:
        if request.headers.get("x-token") != TOKEN:
            return JSONResponse({"error": "wrong token"}, 401)
        found = self.tools.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"error": "there is no such tool"}, 404)
        if request.method == "DELETE":
            del self.tools[found["id"]]
            return Response(status_code=204)
        if request.method == "PATCH":
            found |= await request.json()
        return JSONResponse(found)


if __name__ == "__main__":
    with ToolHireEmulator(port=8800) as served:
        served.add(name="Tile cutter", category="cutting", day_rate="9.00")
        print(f"Tool hire at {served.url}, depot {DEPOT}, token {TOKEN}. Ctrl-C stops it.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
