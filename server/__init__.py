"""The gRPC server of HealthGuard Collector: contract, ingest line and store."""

import os

# gRPC's core writes lines of its own, one for every handshake that fails, which anybody can cause. It looks when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
