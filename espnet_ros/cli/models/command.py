"""Lists, fetches and shows models."""

from __future__ import annotations

from espnet_ros.cli.models.fetching import fetch_models
from espnet_ros.cli.models.listing import show_models
from espnet_ros.cli.models.options import FetchOptions, ListOptions, ShowOptions
from espnet_ros.cli.models.showing import show_model


def run(options: ListOptions | FetchOptions | ShowOptions) -> int:
    if isinstance(options, ListOptions):
        return show_models(options)
    return fetch_models(options) if isinstance(options, FetchOptions) else show_model(options)
