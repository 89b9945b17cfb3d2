"""How the modules of an ESPNet are built: the choices that the paper's Table 2 compares."""

from __future__ import annotations

from dataclasses import dataclass

ACTIVATIONS = ('prelu', 'relu')
DOWNSAMPLINGS = ('esp', 'convolution')
MODULES = ('esp', 'mobilenet', 'shufflenet', 'inception', 'resnext', 'resnet')


@dataclass(frozen=True)
class EspnetStyle:
    """
    The choices, each with what the published networks have.

    :param module: what the stages consist of; all but ``esp`` are the alternatives of figure 5
    :param branches: dilated convolutions of a module (K); the strided modules keep five
    :param fusion: whether the branches are added up one after the other (HFF), which removes
        the gridding of large dilations
    :param residual: whether a module adds its input
    :param activation: ``prelu`` with a slope for each channel, or ``relu``
    :param reduce_kernel: kernel of the reduction: 1 is point-wise, 3 gives ESPNet-C1
    :param dilated: whether the branches are dilated; without, they form the pyramid of
        standard convolutions (SPC-s)
    :param downsampling: ``esp`` for strided modules, or a 3x3 ``convolution`` of stride 2
    :raises ValueError: a choice that there is not
    """

    module: str = 'esp'
    branches: int = 5
    fusion: bool = True
    residual: bool = True
    activation: str = 'prelu'
    reduce_kernel: int = 1
    dilated: bool = True
    downsampling: str = 'esp'

    def __post_init__(self) -> None:
        for name, allowed in (
            ('module', MODULES),
            ('activation', ACTIVATIONS),
            ('downsampling', DOWNSAMPLINGS),
            ('reduce_kernel', (1, 3)),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f'{name}: expected one of {", ".join(map(str, allowed))}, '
                    f'found {getattr(self, name)!r}'
                )
        if not 1 <= self.branches <= 8:
            raise ValueError(f'branches: expected 1 to 8, found {self.branches}')


PUBLISHED_STYLE = EspnetStyle()
