"""Training: labelled data sets, augmentation, losses, recipes and the resumable trainer."""
