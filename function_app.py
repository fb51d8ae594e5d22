"""The function app: registers the blueprints, nothing else."""

from __future__ import annotations

import azure.functions as func

from export_trigger import blueprints as trigger_blueprints
from export_worker import blueprints as worker_blueprints

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (*trigger_blueprints, *worker_blueprints):
    app.register_functions(blueprint)
