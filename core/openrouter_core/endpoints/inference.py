"""Requests to models, and the jobs and files that go with them.

Repeating an inference is safe but not free: a second generation is billed too. Jobs and files are made once.
"""

from __future__ import annotations

from openrouter_core.endpoint import ByCursor, Endpoint
from openrouter_core.wire.answers import Deleted, Page
from openrouter_core.wire.audio import SpeechRequest, TranscriptionRequest, TranscriptionResponse, TranscriptionUpload
from openrouter_core.wire.batches import Batch, BatchRequest, DeletedBatch, ListBatches
from openrouter_core.wire.completions import CompletionChunk, CompletionRequest, CompletionResponse
from openrouter_core.wire.decisions import DecisionsRequest, DecisionsResponse
from openrouter_core.wire.embeddings import EmbeddingsRequest, EmbeddingsResponse
from openrouter_core.wire.files import (
    ContainerFile,
    ContainerFileId,
    FileId,
    ListContainerFiles,
    ListFiles,
    StoredFile,
    UploadFile,
)
from openrouter_core.wire.images import ImageEvent, ImagesRequest, ImagesResponse
from openrouter_core.wire.messages import MessagesRequest, MessagesResponse
from openrouter_core.wire.messages_events import MessagesEvent
from openrouter_core.wire.params import Id
from openrouter_core.wire.rerank import RerankRequest, RerankResponse
from openrouter_core.wire.responses import ResponsesRequest, ResponsesResponse
from openrouter_core.wire.responses_events import ResponsesEvent
from openrouter_core.wire.videos import Video, VideoContent, VideoJob, VideoRequest

COMPLETIONS = Endpoint(
    "POST", "/completions", CompletionRequest, CompletionResponse, events=CompletionChunk, billed=True
)
"""Go on with a text (legacy), whole or as a stream."""

RESPONSES = Endpoint("POST", "/responses", ResponsesRequest, ResponsesResponse, events=ResponsesEvent, billed=True)
"""Create a response, whole or as a stream."""

MESSAGES = Endpoint("POST", "/messages", MessagesRequest, MessagesResponse, events=MessagesEvent, billed=True)
"""Create a message as Anthropic does, whole or as a stream."""

EMBEDDINGS = Endpoint("POST", "/embeddings", EmbeddingsRequest, EmbeddingsResponse, billed=True)
"""Make vectors."""

RERANK = Endpoint("POST", "/rerank", RerankRequest, RerankResponse, billed=True)
"""Sort documents by relevance."""

DECISIONS = Endpoint("POST", "/decisions", DecisionsRequest, DecisionsResponse, base="alpha", billed=True)
"""Answer typed questions (alpha)."""

SYSTEM_ONE = Endpoint("POST", "/systemone", DecisionsRequest, DecisionsResponse, billed=True)
"""Answer typed questions, fast."""

IMAGES = Endpoint("POST", "/images", ImagesRequest, ImagesResponse, events=ImageEvent, billed=True)
"""Paint, whole or as a stream of sketches."""

SPEECH = Endpoint("POST", "/audio/speech", SpeechRequest, bytes, billed=True)
"""Say a text; the answer is the sound."""

TRANSCRIPTIONS = Endpoint("POST", "/audio/transcriptions", TranscriptionRequest, TranscriptionResponse, billed=True)
"""Write down sound that is in the request, or at an address."""

TRANSCRIPTION_UPLOADS = Endpoint(
    "POST", "/audio/transcriptions", TranscriptionUpload, TranscriptionResponse, form=True, billed=True
)
"""Write down a file."""

CREATE_VIDEO = Endpoint("POST", "/videos", VideoRequest, Video, repeatable=False, reports=True, billed=True)
"""Submit a video."""

GET_VIDEO = Endpoint("GET", "/videos/{jobId}", VideoJob, Video, reports=True)
"""Ask how a video stands."""

GET_VIDEO_CONTENT = Endpoint("GET", "/videos/{jobId}/content", VideoContent, bytes)
"""Download a video."""

LIST_BATCHES = Endpoint("GET", "/batches", ListBatches, Page[Batch], pages=ByCursor())
"""List batches, the newest first, without results."""

CREATE_BATCH = Endpoint("POST", "/batches", BatchRequest, Batch, repeatable=False, reports=True, billed=True)
"""Submit a batch."""

GET_BATCH = Endpoint("GET", "/batches/{id}", Id, Batch, reports=True)
"""Ask how a batch stands; the results come with it."""

DELETE_BATCH = Endpoint("DELETE", "/batches/{id}", Id, DeletedBatch)
"""Delete a batch that has ended, with its results."""

LIST_FILES = Endpoint("GET", "/files", ListFiles, Page[StoredFile], pages=ByCursor("cursor", "cursor"))
"""List files."""

UPLOAD_FILE = Endpoint(
    "POST", "/files", UploadFile, StoredFile, repeatable=False, query=("workspace_id", "provider"), form=True
)
"""Store a file."""

GET_FILE = Endpoint("GET", "/files/{file_id}", FileId, StoredFile)
"""Get what is known of a file."""

GET_FILE_CONTENT = Endpoint("GET", "/files/{file_id}/content", FileId, bytes)
"""Download a file."""

DELETE_FILE = Endpoint("DELETE", "/files/{file_id}", FileId, Deleted)
"""Delete a file."""

LIST_CONTAINER_FILES = Endpoint(
    "GET", "/containers/{container_id}/files", ListContainerFiles, Page[ContainerFile], pages=ByCursor()
)
"""List what tools left in a container."""

GET_CONTAINER_FILE = Endpoint("GET", "/containers/{container_id}/files/{file_id}", ContainerFileId, ContainerFile)
"""Get what is known of a container's file."""

GET_CONTAINER_FILE_CONTENT = Endpoint(
    "GET", "/containers/{container_id}/files/{file_id}/content", ContainerFileId, bytes
)
"""Download a container's file."""

PROMOTE_CONTAINER_FILE = Endpoint(
    "POST", "/containers/{container_id}/files/{file_id}/promote", ContainerFileId, StoredFile, repeatable=False
)
"""Keep a container's file among the workspace's."""
