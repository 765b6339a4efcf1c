"""The hub door: what the clients of the Hugging Face Hub ask, answered from the park's own store."""
