"""Small documents that the tests train."""

from __future__ import annotations

from engine.graph.build import Builder
from engine.graph.document import Document


def spirals(epochs: int = 60, lr: float = 0.01, optimizer: str = "Adam", dropout: bool = False) -> Document:
    """2-100-3 with ReLU on three spiral arms."""
    b = Builder("Spirals")
    data = b.add("Spirals")
    x = b.add("ReLU", b.add("Linear", data, out_features=100))
    x = b.add("Dropout", x, p=0.1) if dropout else x
    scores = b.add("Linear", x, out_features=3, id="scores")
    b.add("CrossEntropyLoss", scores, data["label"], id="loss")
    b.train(optimizer, lr=lr, epochs=epochs, batch_size=64)
    return b.document()


def lenet(epochs: int = 1) -> Document:
    """LeNet-5 on digits of 28 × 28 pixels."""
    b = Builder("LeNet-5")
    data = b.add("Digits", size=28, id="digits")
    x = b.add("Tanh", b.add("Conv2d", data, out_channels=6, kernel_size=5, padding=2))
    x = b.add("AvgPool2d", x, kernel_size=2)
    x = b.add("Tanh", b.add("Conv2d", x, out_channels=16, kernel_size=5))
    x = b.add("Flatten", b.add("AvgPool2d", x, kernel_size=2))
    x = b.add("Tanh", b.add("Linear", x, out_features=120))
    x = b.add("Tanh", b.add("Linear", x, out_features=84))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=10, id="scores"), data["label"])
    b.train("Adam", lr=0.002, epochs=epochs, batch_size=128)
    return b.document()


def autoencoder(epochs: int = 3) -> Document:
    """64-16-64 on digits of 8 × 8 pixels, squared error."""
    b = Builder("Autoencoder")
    data = b.add("Digits", size=8, id="digits")
    x = b.add("Sigmoid", b.add("Linear", b.add("Flatten", data), out_features=16, id="code"))
    x = b.add("Linear", x, out_features=64, id="decoder")
    b.add("MSELoss", b.add("Reshape", x, shape=(1, 8, 8)), data, id="loss")
    b.train("Adam", lr=0.01, epochs=epochs, batch_size=64)
    return b.document()
