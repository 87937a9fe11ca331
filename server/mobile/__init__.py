"""Recorded mobile sessions as pure functions over bytes: batches, tokens, screenshots and the signals read from them."""
