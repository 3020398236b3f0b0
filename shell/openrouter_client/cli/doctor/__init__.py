"""`openrouter-client doctor`: what may be wrong, and what to do.

probing (looks at the world) -> facts -> checks (judge them; pure) -> command (shows them)
"""
