"""Published weights on a real street, from topic to topic."""

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('openvino', reason='no OpenVINO')

from espnet_ros.config import RuntimeSettings
from espnet_ros.nodes.ros.messages.images import array_to_image
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from sensor_msgs.msg import Image
from std_msgs.msg import Header

NAME = 'espnet_p2_q8_cityscapes'


def test_the_mask_on_the_topic_is_the_segmenters(ros, segmentation, published_model, shared_data):
    (path,) = (shared_data / 'frames').glob('frankfurt*.png')
    image_bgr = cv2.imread(str(path))
    model = published_model(NAME)
    settings = RuntimeSettings(runtime='openvino', precision='fp32')
    with Segmenter(open_runtime(model, settings)) as segmenter:
        expected = segmenter.segment([image_bgr])[0].labels
    segmentation(model=str(model.path), runtime='openvino', precision='fp32')
    masks = ros.listen(Image, 'segmentation/mask')
    ros.publisher(Image, 'image_raw', 1).publish(
        array_to_image(image_bgr, 'bgr8', Header(frame_id='camera'))
    )
    mask = masks.wait_for()
    labels = np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.width)
    assert labels.shape == image_bgr.shape[:2]
    assert (labels == expected).mean() > 0.9999
    assert len(np.unique(labels)) > 10  # a street with road, cars, trees, people ...
