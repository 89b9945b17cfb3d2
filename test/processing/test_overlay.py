"""Class colours alone, over an image, and in a legend."""

from __future__ import annotations

from espnet_ros.labels import load_label_set
from espnet_ros.processing.overlay import blend_overlay, color_mask, draw_legend
import numpy as np
import pytest

PALETTE = np.random.default_rng(1).integers(0, 256, (256, 3), np.uint8)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def entries(count: int = 19) -> list[tuple[str, tuple[int, int, int]]]:
    """Return the legend of the Cityscapes classes."""
    return [(c.name, c.color_rgb) for c in load_label_set('cityscapes').classes[:count]]


class TestColorMask:
    @pytest.mark.parametrize('size', [(1, 1), (7, 5), (64, 300), (0, 5)])
    def test_every_id_has_its_colour(self, size):
        labels = noise(*size)
        np.testing.assert_array_equal(color_mask(labels, PALETTE), PALETTE[labels])

    def test_all_ids_are_covered(self):
        labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        np.testing.assert_array_equal(color_mask(labels, PALETTE), PALETTE.reshape(16, 16, 3))

    def test_views_of_labels_and_palettes_are_taken(self):
        labels, palette = noise(16, 32)[:, ::2], PALETTE[:, ::-1]
        np.testing.assert_array_equal(color_mask(labels, palette), palette[labels])


class TestBlendOverlay:
    @pytest.mark.parametrize('alpha', [0.0, 0.1, 0.25, 0.5, 0.6, 1.0])
    def test_values_are_the_rounded_mixture(self, alpha):
        image, labels = noise(37, 53, 3), noise(37, 53)
        exact = (1 - alpha) * image + alpha * PALETTE[labels].astype(np.float64)
        found = blend_overlay(image, labels, PALETTE, alpha)
        assert found.dtype == np.uint8
        assert abs(found - exact).max() <= 0.5 + 1e-4

    def test_the_ends_of_alpha_are_the_image_and_the_colours(self):
        image, labels = noise(37, 53, 3), noise(37, 53)
        np.testing.assert_array_equal(blend_overlay(image, labels, PALETTE, 0.0), image)
        np.testing.assert_array_equal(blend_overlay(image, labels, PALETTE, 1.0), PALETTE[labels])

    def test_the_image_is_left_as_it_was(self):
        image, labels = noise(37, 53, 3), noise(37, 53)
        image.flags.writeable = False
        found = blend_overlay(image, labels, PALETTE, 0.5)
        np.testing.assert_array_equal(image, noise(37, 53, 3))
        assert not np.shares_memory(found, image)

    def test_rows_of_the_image_may_be_padded(self):
        padded, labels = noise(37, 60, 3), noise(37, 53)
        found = blend_overlay(padded[:, :53], labels, PALETTE, 0.5)
        np.testing.assert_array_equal(
            found, blend_overlay(padded[:, :53].copy(), labels, PALETTE, 0.5)
        )

    def test_a_smaller_mask_is_enlarged_to_the_image(self):
        image, labels = noise(40, 60, 3), noise(20, 30)
        np.testing.assert_array_equal(
            blend_overlay(image, labels, PALETTE, 0.5),
            blend_overlay(image, labels.repeat(2, 0).repeat(2, 1), PALETTE, 0.5),
        )


def colors_of(image):
    packed = image.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    return {(c & 255, c >> 8 & 255, c >> 16) for c in np.unique(packed).tolist()}


class TestDrawLegend:
    @pytest.mark.parametrize(
        'size',
        [(1, 1), (20, 2000), (2000, 20), (48, 64), (240, 320), (720, 1280), (4320, 7680)],
    )
    def test_it_fits_every_image(self, size):
        image = np.zeros((*size, 3), np.uint8)
        draw_legend(image, entries())
        assert image.shape == (*size, 3)

    @pytest.mark.parametrize('size', [(360, 640), (720, 1280), (1080, 1920), (2160, 3840)])
    def test_every_colour_is_seen(self, size):
        image = np.full((*size, 3), 77, np.uint8)
        draw_legend(image, entries())
        assert {color for _, color in entries()} <= colors_of(image)

    def test_low_images_get_several_columns(self):
        image = np.full((120, 1000, 3), 77, np.uint8)
        draw_legend(image, entries())
        assert {color for _, color in entries()} <= colors_of(image)

    def test_the_rest_of_the_image_is_left_alone(self):
        image = np.full((720, 1280, 3), 77, np.uint8)
        draw_legend(image, entries(3))
        assert (image[200:] == 77).all()
        assert (image[:, 400:] == 77).all()
        assert (image[:8] == 77).all()

    def test_no_entries_draw_nothing(self):
        image = np.full((720, 1280, 3), 77, np.uint8)
        draw_legend(image, [])
        assert (image == 77).all()
