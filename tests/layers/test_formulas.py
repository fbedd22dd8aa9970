"""What the layers compute, against the equations of their papers in numpy and double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.compiler.module import compile_document
from engine.graph.build import Builder

X = np.linspace(-3.7, 3.9, 60).reshape(5, 12)
erf = np.vectorize(math.erf)


def run(
    type_: str, *arrays: np.ndarray, **params: object
) -> tuple[np.ndarray, dict[str, np.ndarray], torch.nn.Module]:
    """Return what one layer gives in evaluation, first output, with its weights."""
    g = Builder("Formula")
    inputs = [g.add("Input", shape=array.shape[1:]) for array in arrays]
    g.add("Output", g.add(type_, *inputs, id="tested", **params))
    torch.manual_seed(3)
    model = compile_document(g.document()).model.double().eval()
    with torch.no_grad():
        result = model(*map(torch.from_numpy, arrays)).numpy()
    weights = {name.removeprefix("tested."): value.numpy() for name, value in model.state_dict().items()}
    return result, weights, model


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


SELU = (1.0507009873554804934193349852946, 1.6732632423543772848170429916717)
ACTIVATIONS = [
    ("ReLU", {}, lambda x: np.maximum(x, 0)),
    ("Sigmoid", {}, sigmoid),
    ("Tanh", {}, lambda x: 1 - 2 / (np.exp(2 * x) + 1)),
    ("Softmax", {}, softmax),
    ("LogSoftmax", {}, lambda x: np.log(softmax(x))),
    ("Softmin", {}, lambda x: softmax(-x)),
    ("LeakyReLU", {}, lambda x: np.where(x > 0, x, 0.01 * x)),
    ("LeakyReLU", {"negative_slope": 0.3}, lambda x: np.where(x > 0, x, 0.3 * x)),
    ("PReLU", {"init": 0.1}, lambda x: np.where(x > 0, x, np.float32(0.1) * x)),
    ("RReLU", {}, lambda x: np.where(x > 0, x, (1 / 8 + 1 / 3) / 2 * x)),
    ("ELU", {"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * (np.exp(x) - 1))),
    ("CELU", {"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * (np.exp(x / 0.5) - 1))),
    ("SELU", {}, lambda x: SELU[0] * np.where(x > 0, x, SELU[1] * (np.exp(x) - 1))),
    ("GELU", {}, lambda x: x * (1 + erf(x / math.sqrt(2))) / 2),
    (
        "GELU",
        {"approximate": "tanh"},
        lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    ("SiLU", {}, lambda x: x * sigmoid(x)),
    ("Softplus", {}, softplus),
    ("Softplus", {"beta": 2.0}, lambda x: softplus(2 * x) / 2),
    ("Mish", {}, lambda x: x * np.tanh(softplus(x))),
    ("ReLU6", {}, lambda x: np.clip(x * 2, 0, 6)),
    ("Hardswish", {}, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    ("Hardsigmoid", {}, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ("Hardtanh", {"max_val": 2.0}, lambda x: np.clip(x, -1, 2)),
    ("GLU", {}, lambda x: x[:, :6] * sigmoid(x[:, 6:])),
    ("Softsign", {}, lambda x: x / (1 + np.abs(x))),
    ("LogSigmoid", {}, lambda x: -softplus(-x)),
    ("Hardshrink", {}, lambda x: np.where(np.abs(x) > 0.5, x, 0)),
    ("Softshrink", {}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)),
    ("Tanhshrink", {}, lambda x: x - np.tanh(x)),
    ("Threshold", {"threshold": 0.4, "value": 9.0}, lambda x: np.where(x > 0.4, x, 9)),
    ("HardStep", {}, lambda x: np.where(x >= 0, 1.0, 0.0)),
    ("Sign", {}, np.sign),
]


@pytest.mark.parametrize(("type_", "params", "formula"), ACTIVATIONS, ids=lambda each: str(each)[:30])
def test_activation(type_, params, formula):
    x = 2 * X if type_ == "ReLU6" else X
    expected = formula(X)
    assert np.allclose(run(type_, x, **params)[0], expected, rtol=1e-12, atol=1e-12)


def test_steps_at_zero():
    zero = np.zeros((2, 3))
    assert (run("HardStep", zero)[0] == 1).all()
    assert (run("Sign", zero)[0] == 0).all()


@pytest.mark.parametrize(("type_", "slope"), [("HardStep", 0.5 / 0.7), ("Sign", 1 / 0.7)])
def test_steps_learn_through_a_ramp(type_, slope):
    _, _, model = run(type_, X, width=0.7)
    x = torch.tensor([[-2.0, -0.71, -0.69, 0.0, 0.5, 0.71, 3.0]], dtype=torch.float64, requires_grad=True)
    model(x).sum().backward()
    assert x.grad[0].tolist() == pytest.approx([0, 0, slope, slope, slope, 0, 0])


def test_maxout():
    """max_j (w_ij . x + b_ij)."""
    result, weights, _ = run("Maxout", X, out_features=3, pieces=4)
    sums = X @ weights["sums.weight"].T + weights["sums.bias"]
    expected = np.stack([sums[:, 4 * unit : 4 * unit + 4].max(1) for unit in range(3)], 1)
    assert np.allclose(result, expected, atol=1e-12)


def steps(x: np.ndarray) -> list[np.ndarray]:
    return [x[:, t] for t in range(x.shape[1])]


def rnn(x, w, suffix="_l0"):
    h = np.zeros((len(x), w[f"weight_hh{suffix}"].shape[1]))
    shown = []
    for each in steps(x):
        h = np.tanh(
            each @ w[f"weight_ih{suffix}"].T
            + w[f"bias_ih{suffix}"]
            + h @ w[f"weight_hh{suffix}"].T
            + w[f"bias_hh{suffix}"]
        )
        shown.append(h)
    return np.stack(shown, 1)


def gru(x, w, suffix="_l0"):
    units = w[f"weight_hh{suffix}"].shape[1]
    h, shown = np.zeros((len(x), units)), []
    w_r, w_z, w_n = np.split(w[f"weight_ih{suffix}"], 3)
    u_r, u_z, u_n = np.split(w[f"weight_hh{suffix}"], 3)
    b_r, b_z, b_n = np.split(w[f"bias_ih{suffix}"], 3)
    c_r, c_z, c_n = np.split(w[f"bias_hh{suffix}"], 3)
    for each in steps(x):
        r = sigmoid(each @ w_r.T + b_r + h @ u_r.T + c_r)
        z = sigmoid(each @ w_z.T + b_z + h @ u_z.T + c_z)
        n = np.tanh(each @ w_n.T + b_n + r * (h @ u_n.T + c_n))
        h = (1 - z) * n + z * h
        shown.append(h)
    return np.stack(shown, 1)


def lstm(x, w, suffix="_l0"):
    units = w[f"weight_hh{suffix}"].shape[1]
    h = c = np.zeros((len(x), units))
    shown = []
    w_i, w_f, w_g, w_o = np.split(w[f"weight_ih{suffix}"], 4)
    u_i, u_f, u_g, u_o = np.split(w[f"weight_hh{suffix}"], 4)
    b_i, b_f, b_g, b_o = np.split(w[f"bias_ih{suffix}"] + w[f"bias_hh{suffix}"], 4)
    for each in steps(x):
        i, f = sigmoid(each @ w_i.T + h @ u_i.T + b_i), sigmoid(each @ w_f.T + h @ u_f.T + b_f)
        c = f * c + i * np.tanh(each @ w_g.T + h @ u_g.T + b_g)
        h = sigmoid(each @ w_o.T + h @ u_o.T + b_o) * np.tanh(c)
        shown.append(h)
    return np.stack(shown, 1)


SEQUENCE = np.sin(np.arange(2 * 6 * 3)).reshape(2, 6, 3)
FORMULAS = {"RNN": rnn, "GRU": gru, "LSTM": lstm}


@pytest.mark.parametrize("type_", FORMULAS)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent(type_, layers, bidirectional):
    """Alone, stacked, from both ends, and both."""
    result, weights, _ = run(type_, SEQUENCE, hidden_size=4, num_layers=layers, bidirectional=bidirectional)
    expected = SEQUENCE
    for layer in range(layers):
        forth = FORMULAS[type_](expected, weights, f"_l{layer}")
        if bidirectional:
            back = FORMULAS[type_](expected[:, ::-1], weights, f"_l{layer}_reverse")[:, ::-1]
            forth = np.concatenate([forth, back], 2)
        expected = forth
    assert np.allclose(result, expected, atol=1e-12)


def test_relu_rnn():
    result, w, _ = run("RNN", SEQUENCE, hidden_size=4, nonlinearity="relu")
    h = np.zeros((2, 4))
    for each in steps(SEQUENCE):
        h = np.maximum(
            each @ w["weight_ih_l0"].T + w["bias_ih_l0"] + h @ w["weight_hh_l0"].T + w["bias_hh_l0"], 0
        )
    assert np.allclose(result[:, -1], h, atol=1e-12)


def test_peephole_lstm():
    result, w, _ = run("PeepholeLSTM", SEQUENCE, hidden_size=4)
    h = c = np.zeros((2, 4))
    w_i, w_f, w_g, w_o = np.split(w["from_input.weight"], 4)
    b_i, b_f, b_g, b_o = np.split(w["from_input.bias"], 4)
    u_i, u_f, u_g, u_o = np.split(w["from_hidden.weight"], 4)
    p_i, p_f, p_o = w["peephole"]
    for t, x in enumerate(steps(SEQUENCE)):
        i = sigmoid(x @ w_i.T + h @ u_i.T + p_i * c + b_i)
        f = sigmoid(x @ w_f.T + h @ u_f.T + p_f * c + b_f)
        c = f * c + i * np.tanh(x @ w_g.T + h @ u_g.T + b_g)
        h = sigmoid(x @ w_o.T + h @ u_o.T + p_o * c + b_o) * np.tanh(c)
        assert np.allclose(result[:, t], h, atol=1e-12)


def test_coupled_gate_lstm():
    result, w, _ = run("CoupledGateLSTM", SEQUENCE, hidden_size=4)
    h = c = np.zeros((2, 4))
    w_f, w_g, w_o = np.split(w["from_input.weight"], 3)
    b_f, b_g, b_o = np.split(w["from_input.bias"], 3)
    u_f, u_g, u_o = np.split(w["from_hidden.weight"], 3)
    for t, x in enumerate(steps(SEQUENCE)):
        f = sigmoid(x @ w_f.T + h @ u_f.T + b_f)
        c = f * c + (1 - f) * np.tanh(x @ w_g.T + h @ u_g.T + b_g)
        h = sigmoid(x @ w_o.T + h @ u_o.T + b_o) * np.tanh(c)
        assert np.allclose(result[:, t], h, atol=1e-12)


@pytest.mark.parametrize("type_", ["RNN", "GRU", "LSTM", "PeepholeLSTM", "CoupledGateLSTM"])
def test_a_sequence_in_two_halves_is_the_whole(type_):
    """The second half begins with the state in which the first one ended."""
    g = Builder("Halves")
    first, second = g.add("Input", shape=(3, 3)), g.add("Input", shape=(3, 3))
    one = g.add(type_, first, hidden_size=4, id="one")
    state = [one[port] for port in ("hidden", "cell") if "LSTM" in type_ or port == "hidden"]
    g.add("Output", one, id="a")
    g.add("Output", g.add(type_, second, *state, hidden_size=4, id="two"), id="b")
    model = compile_document(g.document()).model.double()
    whole, weights, _ = run(type_, SEQUENCE, hidden_size=4)
    for part in (model.one, model.two):
        part.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    with torch.no_grad():
        a, b = model(torch.from_numpy(SEQUENCE[:, :3].copy()), torch.from_numpy(SEQUENCE[:, 3:].copy()))
    assert np.allclose(np.concatenate([a, b], 1), whole, atol=1e-12)


def test_positions_are_waves():
    """sin(t / 10000^(2k / d)) and cos of the same, for an even and an odd width."""
    for width in (6, 7):
        result, _, _ = run("PositionalEncoding", np.zeros((1, 9, width)), max_len=20)
        for t in range(9):
            for d in range(width):
                angle = t / 10000 ** (2 * (d // 2) / width)
                assert result[0, t, d] == pytest.approx(
                    math.cos(angle) if d % 2 else math.sin(angle), abs=1e-6
                )


def test_attention_hides_the_future_behind_a_mask():
    """A causal mask and is_causal agree with softmax(Q Kᵀ / √d + mask) V."""
    q = np.sin(np.arange(2 * 5 * 4)).reshape(2, 5, 4)
    scores = q @ q.transpose(0, 2, 1) / 2 + np.triu(np.full((5, 5), -np.inf), 1)
    expected = softmax(scores) @ q
    assert np.allclose(run("ScaledDotProductAttention", q, is_causal=True)[0], expected, atol=1e-12)
    g = Builder("Masked")
    x = g.add("Input", id="x", shape=(5, 4))
    mask = g.add("CausalMask", x)
    g.add("ScaledDotProductAttention", x, x, x, mask, id="tested")
    model = compile_document(g.document()).model
    with torch.no_grad():
        assert np.allclose(model(torch.from_numpy(q)), expected, atol=1e-12)


def test_distances():
    a, b = X[:, :6], X[:, 6:]
    assert np.allclose(run("PairwiseDistance", a, b, eps=0)[0], np.sqrt(((a - b) ** 2).sum(1)), atol=1e-12)
    dots = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    assert np.allclose(run("CosineSimilarity", a, b)[0], dots, atol=1e-12)
    result, w, _ = run("Centroids", a, count=3)
    assert np.allclose(result, ((a[:, None] - w["centers"]) ** 2).sum(2), atol=1e-12)
    result, w, _ = run("RadialBasis", a, out_features=3, width=4.0)
    expected = np.exp(-((a[:, None] - w["centers"]) ** 2).sum(2) / 4.0**2)
    assert np.allclose(result, expected, atol=1e-12)


def test_einsum_and_reductions():
    a, b = X.reshape(5, 3, 4), np.cos(X).reshape(5, 4, 3)
    assert np.allclose(run("Einsum", a, b)[0], a @ b, atol=1e-12)
    assert np.allclose(run("MatMul", a, b)[0], a @ b, atol=1e-12)
    assert np.allclose(run("Norm", a, dim=(1, 2))[0], np.sqrt((a**2).sum((1, 2))), atol=1e-12)
    assert np.allclose(run("Norm", a, p=1.0)[0], np.abs(a).sum(2), atol=1e-12)
    assert np.allclose(run("Variance", a, correction=0)[0], a.var(2), atol=1e-12)
    assert np.allclose(run("StandardDeviation", a)[0], a.std(2, ddof=1), atol=1e-12)
    assert np.allclose(run("LogSumExp", a)[0], np.log(np.exp(a).sum(2)), atol=1e-12)
    assert np.allclose(run("CumulativeSum", a)[0], a.cumsum(1), atol=1e-12)
