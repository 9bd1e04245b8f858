"""The durable queue and the deliveries that leave through it."""
