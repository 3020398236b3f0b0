"""The pure core: what to send, what an answer means, whether and when to try again."""
