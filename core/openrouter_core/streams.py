"""Which fold reads the stream of which endpoint. Importing it imports the shapes of all that can stream, but chat."""

from __future__ import annotations

from typing import Any

from openrouter_core.events import EventFold
from openrouter_core.image_fold import ImageFold
from openrouter_core.message_fold import MessageFold
from openrouter_core.response_fold import ResponseFold
from openrouter_core.text_fold import TextFold

FOLDS: dict[Any, type[EventFold[Any]]] = {fold.event: fold for fold in (ResponseFold, MessageFold, ImageFold, TextFold)}
"""The fold of each type of events, as `Endpoint.events` names it."""
