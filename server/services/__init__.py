"""The servicers: what each RPC does, over the ingest line and the store."""
