"""Ten architectures as people write them, small and with random weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BasicBlock(nn.Module):
    def __init__(self, inplanes: int, planes: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            shortcut = nn.Conv2d(inplanes, planes, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(8, 8), BasicBlock(8, 8))
        self.layer2 = nn.Sequential(BasicBlock(8, 16, 2), BasicBlock(16, 16))
        self.layer3 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(32, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class DenseLayer(nn.Module):
    def __init__(self, inputs: int, growth: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(F.relu(self.norm(x)))], 1)


class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.layers = nn.ModuleList([DenseLayer(8 + 4 * place, 4) for place in range(3)])
        self.transition = nn.Sequential(nn.BatchNorm2d(20), nn.ReLU(), nn.Conv2d(20, 10, 1), nn.AvgPool2d(2))
        self.classifier = nn.Linear(10, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x)
        return self.classifier(self.transition(x).mean((2, 3)))


class Branches(nn.Module):
    def __init__(self, inputs: int):
        super().__init__()
        self.one = nn.Conv2d(inputs, 4, 1)
        self.three = nn.Sequential(nn.Conv2d(inputs, 4, 1), nn.ReLU(), nn.Conv2d(4, 6, 3, padding=1))
        self.pooled = nn.Conv2d(inputs, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        branches = (F.relu(self.one(x)), F.relu(self.three(x)), F.relu(self.pooled(pooled)))
        return torch.cat(branches, dim=1)


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.inception1 = Branches(8)
        self.inception2 = Branches(12)
        self.dropout = nn.Dropout(0.4)
        self.fc = nn.Linear(12, 7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inception2(self.inception1(F.relu(self.stem(x))))
        x = F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1)
        return self.fc(self.dropout(x))


class DoubleConv(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = DoubleConv(1, 4), DoubleConv(4, 8), DoubleConv(8, 16)
        self.pool = nn.MaxPool2d(2)
        self.up2, self.conv2 = nn.ConvTranspose2d(16, 8, 2, 2), DoubleConv(16, 8)
        self.up1, self.conv1 = nn.ConvTranspose2d(8, 4, 2, 2), DoubleConv(8, 4)
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.down1(x)
        b = self.down2(self.pool(a))
        y = self.up2(self.middle(self.pool(b)))
        rows, columns = b.size(2) - y.size(2), b.size(3) - y.size(3)
        y = F.pad(y, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        y = self.conv2(torch.cat([b, y], 1))
        return self.out(self.conv1(torch.cat([a, self.up1(y)], dim=1)))


class EncoderBlock(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    def __init__(self, width: int = 16):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 4, 4)
        self.class_token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 17, width))
        self.blocks = nn.Sequential(*[EncoderBlock(width, 4) for _ in range(3)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(batch, -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 12, padding_idx=0)
        self.lstm = nn.LSTM(12, 10, 2, batch_first=True, bidirectional=True, dropout=0.1)
        self.out = nn.Linear(20, 6)

    def forward(self, words: Tensor) -> Tensor:
        hidden, _ = self.lstm(self.embedding(words))
        return F.log_softmax(self.out(hidden), dim=-1)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(8 * 49, 5),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(5, 8 * 49), nn.ReLU(), nn.Unflatten(1, (8, 7, 7)),
            nn.ConvTranspose2d(8, 4, 3, 2, 1, 1), nn.ReLU(),
            nn.ConvTranspose2d(4, 1, 3, 2, 1, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encoder(x)
        return self.decoder(code), code


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            return self.a(x)
        return self.b(x)


class Undecided(nn.Module):
    """Computes one thing or another, as the numbers say."""

    def __init__(self):
        super().__init__()
        self.first, self.gate = nn.Linear(4, 4), Gate()

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(torch.relu(self.first(x)))


class Strict(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        self.width = width
        self.linear = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        if type(x) is not Tensor:
            raise TypeError("a tensor is expected, and no stand-in of one")
        return self.linear(x)


class Careful(nn.Module):
    """Holds a part that refuses what a tracer gives to it."""

    def __init__(self):
        super().__init__()
        self.first, self.strict = nn.Linear(4, 6), Strict(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.strict(torch.relu(self.first(x)))


def gpt2() -> nn.Module:
    """A language model of transformers, made from its configuration alone."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=50, n_positions=16, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0,
        attn_implementation="eager", use_cache=False,
    )  # fmt: skip
    return GPT2LMHeadModel(config)


def bert() -> nn.Module:
    """A classifier of sentences, made from its configuration alone."""
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16, attn_implementation="eager",
    )  # fmt: skip
    return BertForSequenceClassification(config)


ARCHITECTURES = {
    "residual": (ResNet, "1,3,32,32"),
    "dense": (DenseNet, "1,1,16,16"),
    "inception": (Inception, "1,3,32,32"),
    "unet": (UNet, "1,1,16,16"),
    "vision transformer": (VisionTransformer, "1,3,16,16"),
    "gpt-2": (gpt2, "int:1,8"),
    "bert": (bert, "int:1,8"),
    "tagger": (Tagger, "int:1,7"),
    "autoencoder": (Autoencoder, "1,1,28,28"),
}


def make(name: str) -> tuple[nn.Module, str]:
    """Return a module with random weights and statistics, and the shape of its input."""
    torch.manual_seed(7)
    build, shape = ARCHITECTURES[name]
    module = build().eval()
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d):
            nn.init.normal_(each.running_mean)
            nn.init.uniform_(each.running_var, 0.5, 2)
    return module, shape
