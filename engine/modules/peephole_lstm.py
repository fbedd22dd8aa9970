"""The LSTM whose gates see its cell."""

import torch
from torch import Tensor, nn


class PeepholeLSTM(nn.Module):
    """i = sigm(W_i x + U_i h + p_i c + b_i),  f = sigm(W_f x + U_f h + p_f c + b_f), c' = f c + i tanh(W_g x
    + U_g h + b_g),  o = sigm(W_o x + U_o h + p_o c' + b_o),  h' = o tanh(c').

    Products with p are element by element. ``x`` (N, L, input_size) gives every h (N, L, hidden_size) and the
    last h and c (1, N, hidden_size), as in nn.LSTM. Gers and Schmidhuber, "Recurrent Nets that Time and
    Count", 2000.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_hidden = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        bound = hidden_size**-0.5
        self.peephole = nn.Parameter(torch.empty(3, hidden_size).uniform_(-bound, bound))

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        zeros = x.new_zeros(x.shape[0], self.peephole.shape[1])
        h, c = (each[0] for each in state) if state else (zeros, zeros)
        see_i, see_f, see_o = self.peephole
        shown = []
        for inputs in self.from_input(x).unbind(1):
            i, f, g, o = (inputs + self.from_hidden(h)).chunk(4, 1)
            c = torch.sigmoid(f + see_f * c) * c + torch.sigmoid(i + see_i * c) * torch.tanh(g)
            h = torch.sigmoid(o + see_o * c) * torch.tanh(c)
            shown.append(h)
        return torch.stack(shown, 1), (h[None], c[None])
