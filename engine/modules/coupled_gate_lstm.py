"""The LSTM whose forget gate is the rest of its input gate."""

import torch
from torch import Tensor, nn


class CoupledGateLSTM(nn.Module):
    """f = sigm(W_f x + U_f h + b_f),  c' = f c + (1 - f) tanh(W_g x + U_g h + b_g),
    o = sigm(W_o x + U_o h + b_o),  h' = o tanh(c').

    ``x`` (N, L, input_size) gives every h (N, L, hidden_size) and the last h and c (1, N, hidden_size), as in
    nn.LSTM. Greff et al., "LSTM: A Search Space Odyssey", 2015, variant CIFG.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.from_input = nn.Linear(input_size, 3 * hidden_size)
        self.from_hidden = nn.Linear(hidden_size, 3 * hidden_size, bias=False)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        zeros = x.new_zeros(x.shape[0], self.hidden_size)
        h, c = (each[0] for each in state) if state else (zeros, zeros)
        shown = []
        for inputs in self.from_input(x).unbind(1):
            f, g, o = (inputs + self.from_hidden(h)).chunk(3, 1)
            f = torch.sigmoid(f)
            c = f * c + (1 - f) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            shown.append(h)
        return torch.stack(shown, 1), (h[None], c[None])
