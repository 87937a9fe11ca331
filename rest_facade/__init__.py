"""The REST door: HTTP and JSON in front of the gRPC services, transcoded from one OpenAPI document."""
