"""What images can be seen under, by name; apart from the recipes, so that help needs no OpenCV."""

CONDITION_NAMES = ('night', 'fog', 'rain', 'dust', 'motion_blur', 'low_light_noise', 'jpeg')
