"""`openrouter-client chat`: one question, or a conversation.

    command (what the options come to) -> attaching (files, pipes) -> asking (a request, as values) -> talking (turns)

`asking` decides and is pure.
"""
