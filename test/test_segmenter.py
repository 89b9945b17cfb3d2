"""Images in, masks out: sizes, regions, groups, confidence, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from time import perf_counter

from espnet_ros.config import MaskSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError, InferenceError, InputError, RuntimeUnavailableError
from espnet_ros.labels import LabelClass, LabelSet
from espnet_ros.processing.preprocess import check_image
from espnet_ros.runtimes.base import Inference
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.runtimes.fake import FakeRuntime
from espnet_ros.segmenter import Segmenter
import numpy as np
import pytest

COLORS = ('blue', 'green', 'red')
BRIGHTNESS = {'dark': 20, 'middle': 128, 'bright': 230}


def plain(height: int, width: int, gray: int) -> np.ndarray:
    return np.full((height, width, 3), gray, np.uint8)


def halves(height: int, width: int) -> np.ndarray:
    """Return an image that is dark on the left and bright on the right."""
    image = plain(height, width, BRIGHTNESS['dark'])
    image[:, width // 2 :] = BRIGHTNESS['bright']
    return image


@pytest.fixture
def segmenter(channel_model) -> Iterator[Segmenter]:
    """Return a segmenter whose classes are bands of brightness: 0 dark, 1, 2 bright."""
    with Segmenter(FakeRuntime(channel_model, RuntimeSettings())) as segmenter:
        yield segmenter


class TestSizes:
    @pytest.mark.parametrize(
        'size', [(16, 32), (8, 16), (100, 37), (1, 1), (1, 500), (720, 1280), (4320, 7680)]
    )
    def test_masks_have_the_size_of_their_image(self, segmenter, size):
        result = segmenter.segment([plain(*size, 128)])[0]
        assert result.labels.shape == size
        assert (result.labels == 1).all()

    def test_a_batch_may_mix_sizes_and_keeps_its_order(self, segmenter):
        grays = (BRIGHTNESS['bright'], BRIGHTNESS['dark'], BRIGHTNESS['middle'])
        sizes = ((40, 60), (7, 9), (16, 32))
        results = segmenter.segment([plain(*s, g) for s, g in zip(sizes, grays, strict=True)])
        assert [r.labels.shape for r in results] == list(sizes)
        assert [int(r.labels[0, 0]) for r in results] == [2, 0, 1]

    def test_masks_may_have_the_size_of_the_network(self, segmenter):
        segmenter.reconfigure(MaskSettings(mask_size='network'))
        result = segmenter.segment([halves(100, 200)], confidence=True)[0]
        assert result.labels.shape == result.confidence.shape == (16, 32)

    def test_masks_may_have_a_size_of_their_own(self, segmenter):
        segmenter.reconfigure(MaskSettings(mask_size='30,50'))
        result = segmenter.segment([halves(100, 200)], confidence=True)[0]
        assert result.labels.shape == result.confidence.shape == (30, 50)
        np.testing.assert_array_equal(result.labels[0], np.repeat([0, 2], 25))

    def test_enlarging_invents_no_class_between_two(self, segmenter):
        assert set(np.unique(segmenter.segment([halves(123, 457)])[0].labels)) == {0, 2}

    def test_more_images_than_ever_before_are_one_batch(self, segmenter):
        for count in (1, 4, 2):
            results = segmenter.segment([plain(10, 10, 128)] * count)
            assert len(results) == count
            assert len({id(r.stage_times) for r in results}) == 1

    def test_no_images_are_no_results(self, segmenter):
        assert segmenter.segment([]) == []


class TestOwnership:
    def test_results_survive_the_next_call(self, segmenter):
        for settings in (MaskSettings(mask_size='network'), MaskSettings()):
            segmenter.reconfigure(settings)
            first = segmenter.segment([plain(16, 32, 20)], confidence=True)[0]
            labels, confidence = first.labels.copy(), first.confidence.copy()
            segmenter.segment([plain(16, 32, 230)], confidence=True)
            np.testing.assert_array_equal(first.labels, labels)
            np.testing.assert_array_equal(first.confidence, confidence)

    def test_results_may_be_drawn_into(self, segmenter):
        result = segmenter.segment([plain(16, 32, 20)], confidence=True)[0]
        result.labels[:] = 7
        result.confidence[:] = 7

    def test_images_are_left_as_they_were_and_need_not_be_writable(self, segmenter):
        image = halves(100, 200)
        image.flags.writeable = False
        segmenter.segment([image])
        np.testing.assert_array_equal(image, halves(100, 200))

    def test_rows_may_be_padded(self, segmenter):
        padded = np.zeros((100, 256, 3), np.uint8)
        padded[:, :200] = halves(100, 200)
        labels = segmenter.segment([padded[:, :200]])[0].labels
        np.testing.assert_array_equal(labels, segmenter.segment([halves(100, 200)])[0].labels)


class TestRegionOfInterest:
    def test_the_mask_is_unlabelled_outside(self, segmenter):
        segmenter.reconfigure(MaskSettings(roi=(40, 10, 80, 50)))
        result = segmenter.segment([halves(100, 200)], confidence=True)[0]
        assert result.labels.shape == (100, 200)
        inside = np.zeros((100, 200), bool)
        inside[10:60, 40:120] = True
        assert (result.labels[~inside] == 255).all()
        assert set(np.unique(result.labels[inside])) == {0, 2}
        assert (result.confidence[~inside] == 0).all()
        assert (result.confidence[inside] >= 128).all()

    def test_the_region_scales_with_the_mask(self, segmenter):
        segmenter.reconfigure(MaskSettings(roi=(100, 0, 100, 100), mask_size='50,100'))
        labels = segmenter.segment([halves(100, 200)])[0].labels
        np.testing.assert_array_equal(labels[0], np.repeat([255, 2], 50))

    def test_a_region_that_sticks_out_is_clipped(self, segmenter):
        segmenter.reconfigure(MaskSettings(roi=(150, 50, 1000, 1000)))
        labels = segmenter.segment([halves(100, 200)])[0].labels
        assert (labels[50:, 150:] == 2).all()
        assert np.count_nonzero(labels != 255) == 50 * 50

    @pytest.mark.parametrize('roi', [(200, 0, 10, 10), (0, 100, 10, 10)])
    def test_a_region_outside_the_image_is_refused(self, segmenter, roi):
        segmenter.reconfigure(MaskSettings(roi=roi))
        with pytest.raises(InputError, match='overlaps the image of 200x100 pixels'):
            segmenter.segment([halves(100, 200)])

    def test_a_tiny_region_keeps_a_pixel_of_a_small_mask(self, segmenter):
        segmenter.reconfigure(MaskSettings(roi=(199, 99, 1, 1), mask_size='2,2'))
        labels = segmenter.segment([halves(100, 200)])[0].labels
        np.testing.assert_array_equal(labels, [[255, 255], [255, 2]])


class TestGroups:
    def test_groups_replace_the_classes(self, segmenter):
        segmenter.reconfigure(MaskSettings(label_groups='free=red; solid=blue,green'))
        result = segmenter.segment([halves(100, 200)])[0]
        assert result.label_set.names == ('free', 'solid')
        assert segmenter.label_set.names == ('free', 'solid')
        np.testing.assert_array_equal(result.labels[0], np.repeat([1, 0], 100))

    def test_classes_in_no_group_become_unlabelled(self, segmenter):
        segmenter.reconfigure(MaskSettings(label_groups='free=red', unlabelled_id=99))
        labels = segmenter.segment([halves(100, 200)])[0].labels
        np.testing.assert_array_equal(labels[0], np.repeat([99, 0], 100))

    def test_void_stays_unless_groups_drop_it(self, channel_model):
        classes = tuple(LabelClass(name, (i, i, i)) for i, name in enumerate(COLORS))
        info = replace(channel_model.info, label_set=LabelSet('x', classes, void_id=0))
        model = replace(channel_model, info=info)
        with Segmenter(FakeRuntime(model, RuntimeSettings())) as segmenter:
            assert (segmenter.segment([plain(9, 9, 20)])[0].labels == 0).all()
            segmenter.reconfigure(MaskSettings(label_groups='seen=green,red'))
            assert (segmenter.segment([plain(9, 9, 20)])[0].labels == 255).all()

    def test_an_unknown_class_is_refused_and_nothing_changes(self, segmenter):
        before = segmenter.settings
        with pytest.raises(ConfigError, match="no class 'purple'"):
            segmenter.reconfigure(MaskSettings(label_groups='free=purple'))
        assert segmenter.settings is before
        assert segmenter.label_set.names == COLORS


class TestConfidence:
    def test_it_has_the_size_of_the_mask_and_comes_only_when_asked_for(self, segmenter):
        image = halves(100, 200)
        assert segmenter.segment([image])[0].confidence is None
        assert segmenter.segment([image], confidence=True)[0].confidence.shape == (100, 200)

    def test_unsure_pixels_become_unlabelled_and_keep_their_confidence(self, segmenter):
        edge = plain(16, 32, 128)
        edge[:, 16:] = 86  # where the band of the middle class begins
        sure = segmenter.segment([edge], confidence=True)[0]
        segmenter.reconfigure(MaskSettings(confidence_threshold=0.75))
        result = segmenter.segment([edge], confidence=True)[0]
        np.testing.assert_array_equal(result.labels[0], np.repeat([1, 255], 16))
        np.testing.assert_array_equal(result.confidence, sure.confidence)

    def test_the_threshold_works_without_the_confidence_being_asked_for(self, segmenter):
        segmenter.reconfigure(MaskSettings(confidence_threshold=0.75, unlabelled_id=200))
        result = segmenter.segment([plain(16, 32, 86)])[0]
        assert result.confidence is None
        assert (result.labels == 200).all()

    def test_groups_and_threshold_go_together(self, segmenter):
        segmenter.reconfigure(
            MaskSettings(confidence_threshold=0.75, label_groups='a=green; b=red')
        )
        grays = (20, 86, 128, 214)
        results = segmenter.segment([plain(4, 4, gray) for gray in grays])
        assert [int(r.labels[0, 0]) for r in results] == [255, 255, 0, 1]


class TestRefusals:
    @pytest.mark.parametrize(
        ('image', 'message'),
        [
            (np.zeros((9, 9), np.uint8), r'shape \(height, width, 3\), found uint8 .*\(9, 9\)'),
            (np.zeros((9, 9, 1), np.uint8), 'convert gray'),
            (np.zeros((9, 9, 4), np.uint8), r'\(9, 9, 4\)'),
            (np.zeros((9, 9, 3), np.float32), 'found float32'),
            (np.zeros((9, 9, 3), np.uint16), 'found uint16'),
            (np.zeros((0, 9, 3), np.uint8), r'an image with pixels, found .*\(0, 9, 3\)'),
            (np.zeros((9, 0, 3), np.uint8), 'an image with pixels'),
        ],
    )
    def test_what_is_no_bgr_image_is_refused(self, segmenter, image, message):
        with pytest.raises(InputError, match=message):
            check_image(image)
        with pytest.raises(InputError, match=message):
            segmenter.segment([plain(9, 9, 0), image])

    @pytest.mark.parametrize('unlabelled_id', [0, 2])
    def test_the_unlabelled_id_must_not_be_a_class(self, segmenter, unlabelled_id):
        with pytest.raises(ConfigError, match=r'unlabelled_id: .*\(3 to 255\).*found \d'):
            segmenter.reconfigure(MaskSettings(unlabelled_id=unlabelled_id))

    def test_a_closed_segmenter_says_so(self, segmenter):
        segmenter.close()
        segmenter.close()
        with pytest.raises(InferenceError, match='closed'):
            segmenter.segment([plain(9, 9, 0)])


def test_the_front_door_opens_a_model_and_a_runtime_by_name(channel_model_path):
    how = RuntimeSettings(runtime='fake')
    with Segmenter.open(str(channel_model_path), how, MaskSettings(mask_size='8,9')) as segmenter:
        assert segmenter.runtime.name == 'fake'
        assert segmenter.segment([plain(20, 30, 0)])[0].labels.shape == (8, 9)
    assert not segmenter.runtime.is_open


def test_the_front_door_opens_what_ships_with_the_fastest_runtime_that_is_here():
    pytest.importorskip('onnxruntime')
    with Segmenter.open() as segmenter:
        (result,) = segmenter.segment([plain(90, 120, 0)])
    assert result.labels.shape == (90, 120)
    assert segmenter.runtime.name != 'fake'


def test_settings_that_do_not_fit_leave_nothing_open(channel_model_path, monkeypatch):
    closed = []
    monkeypatch.setattr(FakeRuntime, '_close', lambda self: closed.append(self.name))
    with pytest.raises(ConfigError, match='unlabelled_id'):
        Segmenter.open(
            str(channel_model_path), RuntimeSettings(runtime='fake'), MaskSettings(unlabelled_id=1)
        )
    assert closed == ['fake']


@pytest.mark.parametrize('threshold', [0.0, 0.5])
def test_warming_up_runs_the_network_as_the_first_frame_will(channel_model, threshold):
    """On black images, and with the confidence only where it is needed."""
    calls = []

    class Recording(FakeRuntime):
        def _infer(self, batch, confidence):
            calls.append((batch.shape, confidence, int(batch.max())))
            return super()._infer(batch, confidence)

    runtime = Recording(channel_model, RuntimeSettings())
    with Segmenter(runtime, MaskSettings(confidence_threshold=threshold)) as segmenter:
        segmenter.warm_up(3)
        segmenter.segment([plain(9, 9, 0)] * 3)
    assert calls == [((3, 16, 32, 3), threshold > 0, 0)] * 2


def test_stages_are_timed(segmenter):
    started_s = perf_counter()
    times = segmenter.segment([halves(100, 200)])[0].stage_times
    took_s = perf_counter() - started_s
    stages_s = (times.prepare_s, times.inference_s, times.finish_s)
    assert min(stages_s) > 0
    assert sum(stages_s) <= took_s


def test_settings_are_checked_without_being_taken(segmenter):
    before = segmenter.settings
    segmenter.check(MaskSettings(label_groups='free=red'))
    with pytest.raises(ConfigError, match="no class 'purple'"):
        segmenter.check(MaskSettings(label_groups='free=purple'))
    assert segmenter.settings is before
    assert segmenter.label_set.names == COLORS


def test_a_threshold_needs_a_runtime_that_gives_the_confidence(channel_model):
    class Unsure(FakeRuntime):
        has_confidence = False

    with Segmenter(Unsure(channel_model, RuntimeSettings())) as segmenter:
        assert segmenter.segment([plain(9, 9, 128)])[0].confidence is None
        for threshold in (0.01, 1.0):
            with pytest.raises(ConfigError, match='confidence_threshold: expected 0'):
                segmenter.reconfigure(MaskSettings(confidence_threshold=threshold))
        assert segmenter.settings.confidence_threshold == 0


def test_a_float_model_gets_images_resized_as_floats(channel_model):
    seen = []

    class Recording(FakeRuntime):
        def _infer(self, batch, confidence):
            seen.append(batch.copy())
            return super()._infer(batch, confidence)

    columns = plain(16, 64, 0)
    columns[:, ::2] = 1
    for model in (channel_model, channel_model.with_float_image()):
        with Segmenter(Recording(model, RuntimeSettings())) as segmenter:
            segmenter.segment([columns])
    assert seen[0].dtype == np.uint8
    assert seen[1].dtype == np.float32
    assert (seen[1] == 0.5).all()


@pytest.mark.parametrize('name', ['openvino', 'onnxruntime'])
def test_real_runtimes_answer_as_the_model_does(channel_model, name):
    settings = RuntimeSettings(runtime=name, precision='fp32')
    try:
        runtime = open_runtime(channel_model, settings)
    except RuntimeUnavailableError as error:
        pytest.skip(str(error))
    image = np.random.default_rng(0).integers(0, 256, (16, 32, 3), np.uint8)
    with Segmenter(runtime) as segmenter:
        labels = segmenter.segment([image, image], confidence=True)[1].labels
    np.testing.assert_array_equal(labels, image.argmax(axis=2))


class Answering(FakeRuntime):
    """Answers with one class, and has something to free."""

    def __init__(self, model, label):
        super().__init__(model, RuntimeSettings())
        self.label = label
        self.freed = 0

    def _close(self):
        self.freed += 1

    def _infer(self, batch, confidence):
        inference = super()._infer(batch, confidence)
        inference.labels[:] = self.label
        return inference


class TestAnotherRuntimeTakesOver:
    def test_it_answers_and_the_old_one_is_freed_once(self, channel_model):
        old, new = Answering(channel_model, 0), Answering(channel_model, 2)
        with Segmenter(old) as segmenter:
            new.open()
            assert (segmenter.segment([plain(9, 9, 128)])[0].labels == 0).all()
            segmenter.replace_runtime(new)
            assert (old.freed, new.freed) == (1, 0)
            assert segmenter.runtime is new
            assert (segmenter.segment([plain(9, 9, 128)])[0].labels == 2).all()
        assert (old.freed, new.freed) == (1, 1)

    def test_it_gets_images_in_the_form_that_it_takes(self, channel_model):
        with Segmenter(Answering(channel_model, 0)) as segmenter:
            segmenter.segment([plain(9, 9, 128)])
            floats = Answering(channel_model.with_float_image(), 1)
            floats.open()
            segmenter.replace_runtime(floats)
            assert (segmenter.segment([plain(9, 9, 128)])[0].labels == 1).all()

    def test_a_batch_that_was_prepared_before_spoils_none_of_the_next(self, channel_model):
        """The memory that it lies in is of the old runtime's form."""
        with Segmenter(Answering(channel_model, 0), overlaps=True) as segmenter:
            early = segmenter.prepare([plain(9, 9, 128)])
            floats = Answering(channel_model.with_float_image(), 1)
            floats.open()
            segmenter.replace_runtime(floats)
            with suppress(InferenceError, InputError):
                segmenter.infer(early)
            assert (segmenter.segment([plain(9, 9, 128)])[0].labels == 1).all()


class Reusing(FakeRuntime):
    """Answers in the same memory each time, as a device does."""

    def __init__(self, model):
        super().__init__(model, RuntimeSettings())
        self._memory = {}

    def _infer(self, batch, confidence):
        found = super()._infer(batch, confidence)
        return Inference(
            self._in_memory('labels', found.labels),
            None if found.confidence is None else self._in_memory('confidence', found.confidence),
        )

    def _in_memory(self, name, values):
        memory = self._memory.setdefault(name, np.empty_like(values))
        memory[...] = values
        return memory


class TestOverlappingBatches:
    @pytest.fixture
    def overlapping(self, channel_model):
        with Segmenter(Reusing(channel_model), overlaps=True) as segmenter:
            yield segmenter

    def test_a_batch_waits_untouched_while_the_next_is_prepared(self, overlapping):
        first = overlapping.prepare([plain(9, 9, BRIGHTNESS['dark'])])
        overlapping.prepare([plain(9, 9, BRIGHTNESS['bright'])])
        (result,) = overlapping.finish(overlapping.infer(first))
        assert (result.labels == 0).all()

    def test_what_the_network_said_waits_untouched_while_it_sees_the_next(self, overlapping):
        grays = (BRIGHTNESS['dark'], 214)
        prepared = [overlapping.prepare([plain(9, 9, gray)], confidence=True) for gray in grays]
        inferred = [overlapping.infer(batch) for batch in prepared]
        results = [overlapping.finish(batch, confidence=True)[0] for batch in inferred]
        assert [int(r.labels[0, 0]) for r in results] == [0, 2]
        alone = [overlapping.segment([plain(9, 9, gray)], confidence=True)[0] for gray in grays]
        for result, expected in zip(results, alone, strict=True):
            np.testing.assert_array_equal(result.confidence, expected.confidence)

    def test_a_batch_keeps_the_settings_that_it_was_prepared_by(self, overlapping):
        batch = overlapping.prepare([halves(100, 200)])
        overlapping.reconfigure(MaskSettings(label_groups='free=red; solid=blue,green'))
        assert (batch.label_set.names, batch.settings.label_groups) == (COLORS, '')
        (result,) = overlapping.finish(overlapping.infer(batch))
        np.testing.assert_array_equal(result.labels[0], np.repeat([0, 2], 100))
        assert result.label_set.names == COLORS

    def test_the_confidence_is_given_to_whoever_wants_it(self, overlapping):
        batch = overlapping.prepare([plain(9, 9, 128)], confidence=True)
        (result,) = overlapping.finish(overlapping.infer(batch))
        assert result.confidence is None
        batch = overlapping.prepare([plain(9, 9, 128)], confidence=True)
        (result,) = overlapping.finish(overlapping.infer(batch), confidence=True)
        assert result.confidence.shape == (9, 9)

    def test_an_image_is_checked_before_it_is_prepared(self, overlapping):
        overlapping.reconfigure(MaskSettings(roi=(200, 0, 10, 10)))
        overlapping.check_image(plain(100, 300, 0))
        with pytest.raises(InputError, match='overlaps the image of 200x100 pixels'):
            overlapping.check_image(plain(100, 200, 0))
        with pytest.raises(InputError, match='convert gray'):
            overlapping.check_image(np.zeros((9, 9, 1), np.uint8))
