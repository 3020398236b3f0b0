"""Videos: submitted, asked about until they are done, downloaded."""

from __future__ import annotations

import os
from typing import Unpack

from returns.result import Failure, Result, Success

from openrouter_client.api.base import DownloadOptions, Group, Options
from openrouter_client.waiting import until_ended, within
from openrouter_core.endpoints.inference import CREATE_VIDEO, GET_VIDEO, GET_VIDEO_CONTENT
from openrouter_core.errors import DataSourceError
from openrouter_core.polling import VIDEO, Polling, failure_of_job
from openrouter_core.received import Received
from openrouter_core.wire.videos import Video, VideoContent, VideoJob, VideoRequest


class Videos(Group):
    """Videos. A video is a job, named by its id; what it costs is told when it is done."""

    async def create(self, request: VideoRequest, **how: Unpack[Options]) -> Result[Video, DataSourceError]:
        """Submit a video. It is submitted twice only with `repeat`, or if it certainly was not."""
        return await self._caller.call(CREATE_VIDEO, request, **how)

    async def get(self, job_id: str, **how: Unpack[Options]) -> Result[Video, DataSourceError]:
        """Ask how a video stands."""
        return await self._caller.call(GET_VIDEO, VideoJob(job_id=job_id), **how)

    async def wait(
        self, job_id: str, *, deadline_secs: float | None = None, polling: Polling = VIDEO
    ) -> Result[Video, DataSourceError]:
        """Ask about a video until it is done, at most for `deadline_secs` (half an hour).

        One that failed is a failure.
        """

        async def ask(left: float) -> Result[Video, DataSourceError]:
            return await self.get(job_id, deadline_secs=left)

        polling = within(polling, deadline_secs)
        ended = await until_ended(self._world, ask, lambda video: video.ended, polling, f"video {job_id}")
        return ended.bind(judged)

    async def run(
        self, request: VideoRequest, *, polling: Polling = VIDEO, **how: Unpack[Options]
    ) -> Result[Video, DataSourceError]:
        """Submit a video, and wait until it is done; `deadline_secs` (half an hour) is for all of it.

        A failure to wait tells the video's id: it goes on, and `wait` can be called again.
        """
        began = self._world.now()
        created = await self.create(request, **how)
        if isinstance(created, Failure):
            return created
        limit = within(polling, how.get("deadline_secs")).deadline
        left = max(limit - (self._world.now() - began), 0.001)
        return await self.wait(created.unwrap().id, deadline_secs=left, polling=polling)

    async def download(
        self, job_id: str, to: str | os.PathLike[str], *, index: int | None = None, **how: Unpack[DownloadOptions]
    ) -> Result[Received, DataSourceError]:
        """Download a video that is done into the file `to`, which is there when it is whole."""
        return await self._caller.download(GET_VIDEO_CONTENT, VideoContent(job_id=job_id, index=index), to, **how)


def judged(video: Video) -> Result[Video, DataSourceError]:
    """Tell a video that failed from one that is there."""
    failed = failure_of_job(video)
    return Success(video) if failed is None else Failure(failed)
