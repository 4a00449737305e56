"""Description of the REST API, in one of its three forms."""

import json

from server.config.loading import version
from server.features import APIS
from server.http.openapi import description_of, table_of, types_of
from server.http.operation import operations_of


def described(form: str | None) -> str:
    """Return the description: OpenAPI, or `table` for Markdown, or `types` for TypeScript."""
    operations = list(operations_of(*APIS))
    match form:
        case "table":
            return table_of(operations)
        case "types":
            return types_of(operations)
        case _:
            return json.dumps(description_of(operations, version()), indent=2) + "\n"
