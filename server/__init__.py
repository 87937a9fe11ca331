"""The gRPC server of HealthGuard Collector: contract, ingest line and store."""
