"""Notices: what people are told by e-mail and by webhooks of their own, in a queue that outlives processes."""
