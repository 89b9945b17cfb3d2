"""Options that name a labelled data set."""

from __future__ import annotations

from dataclasses import dataclass, MISSING

from espnet_ros.cli.options import option


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    GROUP = 'data'

    data: str = option(
        MISSING, 'Folder of the data set, or synthetic for the synthetic street.', 'DIR'
    )
    format: str = option(
        'auto',
        'Layout of the folder: camvid is SPLIT/ and SPLITannot/, folder is images/, labels/ and '
        'labels.yaml. Default: recognised by its contents.',
        '{auto,camvid,cityscapes,pascal_voc,mapillary,folder}',
    )
    label_set: str | None = option(
        None,
        'Classes of the formats camvid and folder: a name such as camvid, or a YAML file.',
        'NAME|FILE',
    )
