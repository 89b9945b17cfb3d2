"""The three ENets: the authors' own, and the two that have published weights in torch."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class EnetStyle:
    """
    In what the implementations of ENet differ.

    :param pooling: kernel of the max-poolings, 2 or 3; that of the first block is ``stem_pooling``
    :param inner_slopes: whether PReLU inside of a bottleneck has a slope for each channel
    :param outer_slopes: whether PReLU behind a bottleneck has a slope for each channel
    :param decoder_prelu: whether the decoder has PReLU too, or ReLU
    :param expanded_activation: whether an activation follows the expansion, before the sum
    :param upsampling_activation: the same in the bottlenecks that double the size
    :param doubling: kernel of the transposed convolutions of the bottlenecks
    :param last: kernel of the transposed convolution that gives the logits
    :param bias: whether all but the 1x1 and the strided 2x2 convolutions have a bias
    :param inner_of_output: whether a bottleneck that changes the channels has a quarter of
        its output channels inside, or a quarter of its input channels
    :param asymmetric_norm: whether batch norm and activation follow both of a 5x1 and a 1x5
        convolution, or the last
    :param epsilon: of batch norm
    """

    stem_pooling: int
    pooling: int
    inner_slopes: bool
    outer_slopes: bool
    decoder_prelu: bool
    expanded_activation: bool
    upsampling_activation: bool
    doubling: int
    last: int
    bias: bool
    inner_of_output: bool
    asymmetric_norm: bool
    epsilon: float


_ELAB = EnetStyle(
    stem_pooling=2,
    pooling=2,
    inner_slopes=True,
    outer_slopes=True,
    decoder_prelu=False,
    expanded_activation=False,
    upsampling_activation=False,
    doubling=3,
    last=2,
    bias=True,
    inner_of_output=True,
    asymmetric_norm=False,
    epsilon=1e-3,
)
_DAVIDTVS = EnetStyle(
    stem_pooling=3,
    pooling=2,
    inner_slopes=False,
    outer_slopes=False,
    decoder_prelu=False,
    expanded_activation=True,
    upsampling_activation=False,
    doubling=2,
    last=3,
    bias=False,
    inner_of_output=False,
    asymmetric_norm=True,
    epsilon=1e-5,
)
STYLES = {
    # e-lab/ENet-training, in Lua, of the paper's authors.
    'elab': _ELAB,
    # davidtvs/PyTorch-ENet as it is today.
    'davidtvs': _DAVIDTVS,
    # The same at commit 921e40c1 of 2018, whose weights are in its repository.
    'davidtvs_2018': replace(
        _DAVIDTVS,
        pooling=3,
        outer_slopes=True,
        decoder_prelu=True,
        upsampling_activation=True,
        doubling=3,
    ),
}
