"""The groups of endpoints, by name. Each is made, and imported, when it is first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from openrouter_client.calling import Caller

if TYPE_CHECKING:
    from openrouter_client.api.analytics import Analytics
    from openrouter_client.api.audio import Audio
    from openrouter_client.api.auth import Auth
    from openrouter_client.api.batches import Batches
    from openrouter_client.api.byok import Byok
    from openrouter_client.api.completions import Completions
    from openrouter_client.api.containers import Containers
    from openrouter_client.api.credits import AccountCredits
    from openrouter_client.api.datasets import Datasets
    from openrouter_client.api.decisions import Decisions
    from openrouter_client.api.destinations import Destinations
    from openrouter_client.api.embeddings import Embeddings
    from openrouter_client.api.files import Files
    from openrouter_client.api.generation import Generations
    from openrouter_client.api.guardrails import Guardrails
    from openrouter_client.api.images import Images
    from openrouter_client.api.keys import Keys
    from openrouter_client.api.messages import Messages
    from openrouter_client.api.models import Models
    from openrouter_client.api.organization import Organization
    from openrouter_client.api.presets import Presets
    from openrouter_client.api.private_endpoints import PrivateEndpoints
    from openrouter_client.api.providers import Providers
    from openrouter_client.api.rerank import Rerank
    from openrouter_client.api.responses import Responses
    from openrouter_client.api.scim import Scim
    from openrouter_client.api.tools import Tools
    from openrouter_client.api.vault import Vault
    from openrouter_client.api.videos import Videos
    from openrouter_client.api.workspaces import Workspaces


class Groups(Caller):
    """The endpoints of the API as methods, in groups: `client.models.list()`, `client.embeddings.create(...)`..."""

    @cached_property
    def analytics(self) -> Analytics:
        """What was used, by a management key."""
        from openrouter_client.api.analytics import Analytics

        return Analytics(self, self._calls.world)

    @cached_property
    def audio(self) -> Audio:
        """Speech from text, and text from speech."""
        from openrouter_client.api.audio import Audio

        return Audio(self, self._calls.world)

    @cached_property
    def auth(self) -> Auth:
        """Sign-in of users (PKCE, see `openrouter_core.pkce`), and tokens for workloads."""
        from openrouter_client.api.auth import Auth

        return Auth(self, self._calls.world)

    @cached_property
    def batches(self) -> Batches:
        """Batches. The results come with a batch that is done, in `batch.results`."""
        from openrouter_client.api.batches import Batches

        return Batches(self, self._calls.world)

    @cached_property
    def byok(self) -> Byok:
        """Own credentials at providers, by a management key."""
        from openrouter_client.api.byok import Byok

        return Byok(self, self._calls.world)

    @cached_property
    def completions(self) -> Completions:
        """Legacy completions: a text goes on."""
        from openrouter_client.api.completions import Completions

        return Completions(self, self._calls.world)

    @cached_property
    def containers(self) -> Containers:
        """Files that tools left in containers."""
        from openrouter_client.api.containers import Containers

        return Containers(self, self._calls.world)

    @cached_property
    def credits(self) -> AccountCredits:
        """Credits bought and used, by a management key."""
        from openrouter_client.api.credits import AccountCredits

        return AccountCredits(self, self._calls.world)

    @cached_property
    def datasets(self) -> Datasets:
        """Rankings, benchmarks and shares: public data about models and apps."""
        from openrouter_client.api.datasets import Datasets

        return Datasets(self, self._calls.world)

    @cached_property
    def decisions(self) -> Decisions:
        """Typed questions (alpha)."""
        from openrouter_client.api.decisions import Decisions

        return Decisions(self, self._calls.world)

    @cached_property
    def destinations(self) -> Destinations:
        """Destinations of traces, by a management key."""
        from openrouter_client.api.destinations import Destinations

        return Destinations(self, self._calls.world)

    @cached_property
    def embeddings(self) -> Embeddings:
        """Vectors."""
        from openrouter_client.api.embeddings import Embeddings

        return Embeddings(self, self._calls.world)

    @cached_property
    def files(self) -> Files:
        """Files of the workspace; `call` with the endpoints takes those of other workspaces and providers too."""
        from openrouter_client.api.files import Files

        return Files(self, self._calls.world)

    @cached_property
    def generation(self) -> Generations:
        """What is known afterwards of a generation."""
        from openrouter_client.api.generation import Generations

        return Generations(self, self._calls.world)

    @cached_property
    def guardrails(self) -> Guardrails:
        """Limits for keys and members, by a management key."""
        from openrouter_client.api.guardrails import Guardrails

        return Guardrails(self, self._calls.world)

    @cached_property
    def images(self) -> Images:
        """Images from text and images."""
        from openrouter_client.api.images import Images

        return Images(self, self._calls.world)

    @cached_property
    def keys(self) -> Keys:
        """API keys, by a management key; and what the key that asks may do."""
        from openrouter_client.api.keys import Keys

        return Keys(self, self._calls.world)

    @cached_property
    def messages(self) -> Messages:
        """Anthropic's messages API, for every model."""
        from openrouter_client.api.messages import Messages

        return Messages(self, self._calls.world)

    @cached_property
    def models(self) -> Models:
        """Models. They are named by their slugs, such as "x-ai/grok-4"."""
        from openrouter_client.api.models import Models

        return Models(self, self._calls.world)

    @cached_property
    def organization(self) -> Organization:
        """The organization, its members and users, by a management key."""
        from openrouter_client.api.organization import Organization

        return Organization(self, self._calls.world)

    @cached_property
    def presets(self) -> Presets:
        """Settings of requests, kept under a name."""
        from openrouter_client.api.presets import Presets

        return Presets(self, self._calls.world)

    @cached_property
    def private_endpoints(self) -> PrivateEndpoints:
        """Private endpoints of models, by a management key."""
        from openrouter_client.api.private_endpoints import PrivateEndpoints

        return PrivateEndpoints(self, self._calls.world)

    @cached_property
    def providers(self) -> Providers:
        """Providers of models."""
        from openrouter_client.api.providers import Providers

        return Providers(self, self._calls.world)

    @cached_property
    def rerank(self) -> Rerank:
        """Documents by relevance."""
        from openrouter_client.api.rerank import Rerank

        return Rerank(self, self._calls.world)

    @cached_property
    def responses(self) -> Responses:
        """The responses API, OpenAI's successor of chat completions."""
        from openrouter_client.api.responses import Responses

        return Responses(self, self._calls.world)

    @cached_property
    def scim(self) -> Scim:
        """The directory: groups, their roles, and its syncs, by a management key."""
        from openrouter_client.api.scim import Scim

        return Scim(self, self._calls.world)

    @cached_property
    def tools(self) -> Tools:
        """The tools that OpenRouter runs."""
        from openrouter_client.api.tools import Tools

        return Tools(self, self._calls.world)

    @cached_property
    def vault(self) -> Vault:
        """Secrets of a workspace and its interns."""
        from openrouter_client.api.vault import Vault

        return Vault(self, self._calls.world)

    @cached_property
    def videos(self) -> Videos:
        """Videos. A video is a job, named by its id; what it costs is told when it is done."""
        from openrouter_client.api.videos import Videos

        return Videos(self, self._calls.world)

    @cached_property
    def workspaces(self) -> Workspaces:
        """Workspaces, their members and budgets, by a management key."""
        from openrouter_client.api.workspaces import Workspaces

        return Workspaces(self, self._calls.world)
