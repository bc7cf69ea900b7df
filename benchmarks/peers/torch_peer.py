"""PyTorch on the CPU, asked line by line: python3 torch_peer.py torch|torch-compiled <threads>.

Speaks the protocol of ../src/protocol.ts over stdin and stdout. `torch` runs what PyTorch has ready: scaled_dot_product_attention
where it can say the task, plain operations elsewhere. `torch-compiled` runs flex_attention and the plain operations
through torch.compile. `torch_peer.py first-result 1` prints the first result of a fresh process.
"""

import contextlib
import json
import math
import os
import sys
import time

# The protocol has stdout to itself, whatever a library or a compiler prints.
PIPE = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

SYSTEM, THREADS = sys.argv[1], int(sys.argv[2])
COMPILED = SYSTEM == "torch-compiled"
torch.set_num_threads(THREADS)

WINDOW, CAP = 256, 20.0
opened = {}


class Cannot(Exception):
    """A reason, for people to read."""


def say(reply):
    PIPE.write(json.dumps(reply) + "\n")


def shapes_of(task):
    """The shapes of what goes in, as src/task.ts has them."""
    if task["op"] == "matmul":
        return {name: (task["size"],) * 2 for name in ("left", "right")}
    if task["op"] == "layer":
        model = task["model"]
        weights = {name: (model, model) for name in ("toQuery", "toKey", "toValue", "toOut")}
        return {"x": (1, task["length"], model), **weights}
    shape = task["shape"]
    lead, feature = (shape["batch"], shape["heads"]), shape["feature"]
    found = {"query": (*lead, shape["queries"], feature)}
    found["key"] = found["value"] = (*lead, shape["keys"], feature)
    if task["score"] == "additive":
        found["vector"] = (feature,)
    if task["gradient"]:
        found["upstream"] = found["query"]
    return found


def load(folder, shapes):
    def one(name, shape):
        with open(os.path.join(folder, f"{name}.f32"), "rb") as file:
            return torch.frombuffer(bytearray(file.read()), dtype=torch.float32).reshape(shape)

    return {name: one(name, shape) for name, shape in shapes.items()}


def slopes(heads):
    return torch.tensor([2.0 ** (-8.0 * (head + 1) / heads) for head in range(heads)])


def matmul(_, given):
    return lambda: given["left"] @ given["right"]


def layer(task, given):
    _, length, model = given["x"].shape
    heads = task["heads"]
    # nn.Linear multiplies with the transpose; made contiguous once, ahead.
    weights = {name: given[name].T.contiguous() for name in ("toQuery", "toKey", "toValue", "toOut")}

    def by_head(name):
        return F.linear(given["x"], weights[name]).view(1, length, heads, model // heads).transpose(1, 2)

    def run():
        context = F.scaled_dot_product_attention(by_head("toQuery"), by_head("toKey"), by_head("toValue"))
        return F.linear(context.transpose(1, 2).reshape(1, length, model), weights["toOut"])

    return run


def additive(_, given):
    def run():
        hidden = torch.tanh(given["query"].unsqueeze(3) + given["key"].unsqueeze(2))
        return torch.softmax(hidden @ given["vector"], -1) @ given["value"]

    return run


def dense(task, given):
    """scaled_dot_product_attention; masks other than causal and ALiBi as a tensor, softcap by hand."""
    query, key, value = given["query"], given["key"], given["value"]
    queries, keys = query.shape[2], key.shape[2]
    places = torch.arange(queries)[:, None], torch.arange(keys)[None, :]
    if task["modifier"] == "softcap":

        def run():
            scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[3])
            return torch.softmax(CAP * torch.tanh(scores / CAP), -1) @ value

        return run
    mask = None
    if task["mask"] == "window":
        mask = (places[1] <= places[0]) & (places[1] > places[0] - WINDOW)
    if task["modifier"] == "alibi":
        mask = slopes(query.shape[1])[None, :, None, None] * (places[1] - places[0])
    causal = task["mask"] == "causal"
    return lambda: F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)


def flex(task, given):
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    if task["gradient"]:
        raise Cannot("flex_attention has no backward on the CPU")
    query, key, value = given["query"], given["key"], given["value"]
    score_mod, block_mask = None, None
    if task["modifier"] == "softcap":

        def score_mod(score, b, h, i, j):
            return CAP * torch.tanh(score / CAP)

    if task["modifier"] == "alibi":
        per_head = slopes(query.shape[1])

        def score_mod(score, b, h, i, j):
            return score + per_head[h] * (j - i)

    if task["mask"] != "none":
        inside = {
            "causal": lambda b, h, i, j: j <= i,
            "window": lambda b, h, i, j: (j <= i) & (j > i - WINDOW),
        }[task["mask"]]
        block_mask = create_block_mask(inside, None, None, query.shape[2], key.shape[2], device="cpu")
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda: compiled(query, key, value, score_mod=score_mod, block_mask=block_mask)


def run_of(task, given):
    """A function of nothing that computes the task."""
    if task["op"] == "matmul" or task["op"] == "layer":
        if COMPILED:
            raise Cannot("is asked for attention with a formula alone")
        return (matmul if task["op"] == "matmul" else layer)(task, given)
    if task["storage"] != "float32" or task["score"] not in ("scaled-dot", "additive"):
        raise Cannot("is not asked for this")
    if task["score"] == "additive":
        plain = additive(task, given)
        return torch.compile(plain, dynamic=False) if COMPILED else plain
    return flex(task, given) if COMPILED else dense(task, given)


def prepare(asked):
    task = asked["task"]
    torch._dynamo.reset()
    given = load(asked["folder"], shapes_of(task))
    if not task.get("gradient"):
        forward = run_of(task, given)

        def run():
            with torch.inference_mode():
                return [forward()]
    else:
        names = [name for name in given if name != "upstream"]
        leaves = [given[name].requires_grad_() for name in names]
        forward = run_of(task, given)

        def run():
            return torch.autograd.grad(forward(), leaves, given["upstream"])

    place = os.path.join(asked["folder"], SYSTEM)
    os.makedirs(place, exist_ok=True)
    files = []
    for at, result in enumerate(run()):
        files.append(os.path.join(place, f"result{at}.f32"))
        with open(files[-1], "wb") as file:
            file.write(result.detach().contiguous().numpy().tobytes())
    opened[asked["id"]] = run
    return {"ways": [{"name": "compiled" if COMPILED else "eager", "files": files}]}


def time_of(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def choose(asked):
    run = opened[asked["id"]]
    once = time_of(run)
    end = time.perf_counter() + asked["seconds"]
    while time.perf_counter() + once / 1000 < end:
        once = min(once, time_of(run))
    return {"way": asked["ways"][0], "once": once}


def timed(asked):
    run, times = opened[asked["id"]], []
    first = time_of(run)
    if first > 500:
        times.append(first)
    end = time.perf_counter() + asked["seconds"]
    while len(times) < asked["least"] or time.perf_counter() < end:
        times.append(time_of(run))
    return {"times": times}


def release(asked):
    opened.pop(asked["id"], None)
    return {}


HANDLERS = {"prepare": prepare, "choose": choose, "time": timed, "release": release}


def serve():
    say({"about": f"{torch.__version__}, Python {sys.version.split()[0]}"})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                reply = HANDLERS[asked["ask"]](asked)
            say(reply)
        except Exception as problem:  # Whatever a compiler throws is a reason for an empty cell.
            say({"cannot": " ".join(str(problem).split())[:400] or type(problem).__name__})


if SYSTEM == "first-result":
    rows = torch.rand(1, 8, 128, 64)
    with torch.inference_mode():
        PIPE.write(f"done {F.scaled_dot_product_attention(rows, rows, rows)[0, 0, 0, 0].item()}\n")
else:
    serve()
