"""The REST door: HTTP and JSON in front of the gRPC services, transcoded from one OpenAPI document."""

import warnings

# Connexion imports Starlette's test client, which asks on stderr for another httpx; our stderr holds the log.
warnings.filterwarnings("ignore", message=".*starlette.testclient.*")
