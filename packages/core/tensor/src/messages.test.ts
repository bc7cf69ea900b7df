// Bad input, and the messages that a person sees. Each says where, what was expected, what came, and what to do.

import * as e from '@heed/expr';
import { describe, expect, it } from 'vitest';
import { freshDevice } from './device.fixture.ts';
import * as h from './index.ts';

/** What is thrown, as its name and message. */
function said(body: () => unknown): string {
  try {
    body();
  } catch (problem) {
    expect(problem).toBeInstanceOf(h.HeedError);
    return `${(problem as Error).name}: ${(problem as Error).message}`;
  }
  return 'nothing';
}

const given = async () => {
  const device = await freshDevice();
  return { device, x: h.ones(device, [2, 3]), ints: h.arange(device, 3), bools: h.full(device, [3], true) };
};

describe('shapes that do not fit', () => {
  it('in arithmetic', async () => {
    const { device, x } = await given();
    expect(said(() => h.add(x, h.ones(device, [2])))).toMatchInlineSnapshot(
      `"ShapeError: add: shapes do not broadcast: a is [2, 3], b is [2]. Counted from the end, axis 1 has size 2 in b and 3 before it; sizes must be equal, or one of them 1 (unsqueeze(axis) adds such an axis)."`,
    );
    expect(said(() => h.where(h.gt(x, 0), x, h.ones(device, [4])))).toMatchInlineSnapshot(
      `"ShapeError: where: shapes do not broadcast: condition is [2, 3], a is [2, 3], b is [4]. Counted from the end, axis 1 has size 4 in b and 3 before it; sizes must be equal, or one of them 1 (unsqueeze(axis) adds such an axis)."`,
    );
  });

  it('in products', async () => {
    const { device, x } = await given();
    expect(said(() => h.matmul(h.ones(device, [2, 3, 4]), h.ones(device, [5, 6])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: inner sizes differ: a is [batch, row, inner] = [2, 3, 4] and b is [inner, column] = [5, 6]."`,
    );
    expect(said(() => h.matmul(x, h.ones(device, [5, 3])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: inner sizes differ: a is [row, inner] = [2, 3] and b is [inner, column] = [5, 3]. b fits the other way round: pass { transposeB: true }."`,
    );
    expect(said(() => h.matmul(x, x, { transposeA: true, transposeB: true }))).toMatchInlineSnapshot(
      `"ShapeError: matmul: inner sizes differ: a is [row, inner] = [3, 2] and b is [inner, column] = [3, 2], with a and b transposed. b fits the other way round: leave out transposeB."`,
    );
    expect(said(() => h.matmul(x, h.ones(device, [])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: expected b to have at least one axis, got a scalar. Multiply with mul."`,
    );
    expect(said(() => h.matmul(h.ones(device, [2, 2, 3]), h.ones(device, [3, 3, 2])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: shapes do not broadcast: the batch of a is [2], the batch of b is [3]. Counted from the end, axis 1 has size 3 in the batch of b and 2 before it; sizes must be equal, or one of them 1 (unsqueeze(axis) adds such an axis)."`,
    );
  });

  it('in views', async () => {
    const { x } = await given();
    expect(said(() => x.reshape([4, 2]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: [2, 3] holds 6 elements, [4, 2] takes 8. One size may be -1: it is worked out."`,
    );
    expect(said(() => x.reshape([-1, 4]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: [2, 3] holds 6 elements, which do not divide into [-1, 4]."`,
    );
    expect(said(() => x.reshape([-1, -1]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: expected at most one -1, got [-1, -1]."`,
    );
    expect(said(() => x.reshape([2.5, 2]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: expected sizes that are whole numbers of at least 0, got [2.5, 2]."`,
    );
    expect(said(() => x.expand([4, 3]))).toMatchInlineSnapshot(
      `"ShapeError: expand: [2, 3] does not broadcast to [4, 3]: aligned at the last axis, sizes must be equal or 1, and no axis can be lost."`,
    );
    expect(said(() => x.expand([3]))).toMatchInlineSnapshot(
      `"ShapeError: expand: [2, 3] does not broadcast to [3]: aligned at the last axis, sizes must be equal or 1, and no axis can be lost."`,
    );
    expect(said(() => x.squeeze(0))).toMatchInlineSnapshot(
      `"ShapeError: squeeze: expected axis 0 of [2, 3] to have size 1. Take one element with slice(axis, at, at + 1)."`,
    );
    expect(said(() => x.permute([0, 0]))).toMatchInlineSnapshot(
      `"ValueError: permute: expected each axis once, got [0, 0]."`,
    );
    expect(said(() => x.permute([1]))).toMatchInlineSnapshot(
      `"ValueError: permute: expected each of the 2 axes of Tensor(float32 [2, 3]) once, got [1]."`,
    );
    expect(said(() => x.transpose(0, 2))).toMatchInlineSnapshot(
      `"ValueError: transpose: expected an axis from -2 to 1, got 2."`,
    );
    expect(said(() => x.slice(0, 0, 3))).toMatchInlineSnapshot(
      `"ValueError: slice: expected end from -2 to 2 along axis 0 of [2, 3], got 3."`,
    );
    expect(said(() => x.slice(0, 0, 1, 0))).toMatchInlineSnapshot(
      `"ValueError: slice: expected a step that is a whole number of at least 1, got 0."`,
    );
    expect(said(() => x.unsqueeze(4))).toMatchInlineSnapshot(
      `"ValueError: unsqueeze: expected an axis from -3 to 2, got 4."`,
    );
  });

  it('in data', async () => {
    const { device } = await given();
    expect(said(() => h.tensor(device, [[1, 2], [3]]))).toMatchInlineSnapshot(
      `"ShapeError: tensor: ragged: data[1] has 1 element, expected 2 elements, as its neighbours have."`,
    );
    expect(
      said(() =>
        h.tensor(device, [
          [[1], [2]],
          [[3], 4],
        ]),
      ),
    ).toMatchInlineSnapshot(
      `"ShapeError: tensor: ragged: data[1][1] is 4, expected 1 element, as its neighbours have."`,
    );
    expect(said(() => h.tensor(device, [1, [2]]))).toMatchInlineSnapshot(
      `"ShapeError: tensor: ragged: data[1] has 1 element, expected a number."`,
    );
    expect(said(() => h.tensor(device, [1, 2, 3], { shape: [2, 2] }))).toMatchInlineSnapshot(
      `"ShapeError: tensor: expected 4 elements for the shape [2, 2], got 3."`,
    );
    expect(said(() => h.tensor(device, [[1, 2]], { shape: [2] }))).toMatchInlineSnapshot(
      `"ShapeError: tensor: nested arrays of shape [1, 2] were given with the shape [2]. Leave one of them out."`,
    );
    expect(said(() => h.zeros(device, [-1]))).toMatchInlineSnapshot(
      `"ShapeError: zeros: expected sizes that are whole numbers of at least 0, got [-1]."`,
    );
  });

  it('in joining and lookups', async () => {
    const { device, x, ints } = await given();
    expect(said(() => h.concat([]))).toMatchInlineSnapshot(
      `"ShapeError: concat: expected at least one tensor, got none."`,
    );
    expect(said(() => h.concat([x, h.ones(device, [2, 4])]))).toMatchInlineSnapshot(
      `"ShapeError: concat: expected sizes that are equal but along axis 0: tensor 0 is [2, 3], tensor 1 is [2, 4]. To join along a new axis, use stack."`,
    );
    expect(said(() => h.stack([x, h.ones(device, [2, 4])]))).toMatchInlineSnapshot(
      `"ShapeError: stack: expected tensors of one shape: tensor 0 is [2, 3], tensor 1 is [2, 4]."`,
    );
    expect(said(() => h.split(x, 2, { axis: 1 }))).toMatchInlineSnapshot(
      `"ValueError: split: expected a size that divides 3, the size of axis 1, got 2. Sizes that differ are given as a list."`,
    );
    expect(said(() => h.split(x, [1, 1], { axis: 1 }))).toMatchInlineSnapshot(
      `"ValueError: split: expected sizes that add up to 3, the size of axis 1 of [2, 3], got [1, 1]."`,
    );
    expect(said(() => h.pad(x, [[0, 1]]))).toMatchInlineSnapshot(
      `"ShapeError: pad: expected [before, after] for each of the 2 axes of [2, 3], whole numbers of at least 0, got [[0,1]]. To take elements away, use slice."`,
    );
    expect(said(() => h.gather(x, ints, { axis: 0 }))).toMatchInlineSnapshot(
      `"ShapeError: gather: expected data and indices to have equal sizes but along axis 0, got [2, 3] and [3]. Repeat with expand(shape), cut with slice(...)."`,
    );
    const indices = h.zeros(device, [1, 3], { dtype: 'int32' });
    expect(said(() => h.scatterAdd(x, indices, x, { axis: 0 }))).toMatchInlineSnapshot(
      `"ShapeError: scatterAdd: expected an index for each element of the source, [2, 3], got [1, 3]."`,
    );
  });

  it('in reductions', async () => {
    const { device, x } = await given();
    expect(said(() => h.sum(x, { axis: 2 }))).toMatchInlineSnapshot(
      `"ValueError: sum: expected an axis from -2 to 1, got 2."`,
    );
    expect(said(() => h.sum(x, { axis: [0, -2] }))).toMatchInlineSnapshot(
      `"ValueError: sum: expected each axis once, got [0, -2]."`,
    );
    expect(said(() => h.sum(h.ones(device, []), { axis: 0 }))).toMatchInlineSnapshot(
      `"ValueError: sum: expected at least one axis, got a scalar."`,
    );
    expect(said(() => h.argmax(h.ones(device, [0])))).toMatchInlineSnapshot(
      `"ShapeError: argmax: expected at least one element to choose from, got [0]."`,
    );
    expect(said(() => h.softmax(h.ones(device, [])))).toMatchInlineSnapshot(
      `"ValueError: softmax: expected at least one axis, got a scalar."`,
    );
  });
});

describe('elements of the wrong kind', () => {
  it('are named with what converts them', async () => {
    const { device, x, ints, bools } = await given();
    expect(said(() => h.logicalAnd(x as never, bools))).toMatchInlineSnapshot(
      `"DTypeError: logicalAnd: expected bool, got Tensor(float32 [2, 3]). Write a comparison, such as notEqual(tensor, 0)."`,
    );
    expect(said(() => h.where(ints as never, x, x))).toMatchInlineSnapshot(
      `"DTypeError: where: expected bool, got Tensor(int32 [3]). Write a comparison, such as notEqual(tensor, 0)."`,
    );
    expect(said(() => h.matmul(ints, ints))).toMatchInlineSnapshot(
      `"DTypeError: matmul: expected floats, got Tensor(int32 [3]) as a. Convert it with cast(a, 'float32')."`,
    );
    expect(said(() => h.max(ints))).toMatchInlineSnapshot(
      `"DTypeError: max: expected floats, got Tensor(int32 [3]). Convert it with cast(tensor, 'float32')."`,
    );
    expect(said(() => h.take(x, x as never))).toMatchInlineSnapshot(
      `"DTypeError: take: expected int32 indices, got Tensor(float32 [2, 3]). Convert them with cast(indices, 'int32')."`,
    );
    expect(said(() => h.softmax(ints))).toMatchInlineSnapshot(
      `"DTypeError: softmax: expected floats, got Tensor(int32 [3]). Convert it with cast(tensor, 'float32')."`,
    );
    expect(said(() => h.tensor(device, [1, true]))).toMatchInlineSnapshot(
      `"DTypeError: tensor: expected numbers or booleans, got both."`,
    );
    expect(said(() => h.tensor(device, ['1'] as never))).toMatchInlineSnapshot(
      `"DTypeError: tensor: expected numbers or booleans, got string at data[0]."`,
    );
    expect(said(() => h.tensor(device, [[1], [null]] as never))).toMatchInlineSnapshot(
      `"DTypeError: tensor: expected numbers or booleans, got null at data[1][0]."`,
    );
    expect(said(() => h.tensor(device, [0.5], { dtype: 'int32' }))).toMatchInlineSnapshot(
      `"DTypeError: tensor: int32 holds whole numbers from -2147483648 to 2147483647, got 0.5 as element 0. Leave out the dtype for float32, or round first."`,
    );
    expect(said(() => h.tensor(device, [300], { dtype: 'int8' }))).toMatchInlineSnapshot(
      `"DTypeError: tensor: int8 holds whole numbers from -128 to 127, got 300 as element 0. Leave out the dtype for float32, or round first."`,
    );
    expect(said(() => h.tensor(device, [2], { dtype: 'bool' }))).toMatchInlineSnapshot(
      `"DTypeError: tensor: expected true, false, 0 or 1 for bool, got 2 as element 0."`,
    );
    expect(said(() => h.full(device, [2], 0.5, { dtype: 'int32' }))).toMatchInlineSnapshot(
      `"DTypeError: full: expected a whole number of 32 bits for int32, got 0.5."`,
    );
    expect(said(() => h.arange(device, 3, { step: 0.5, dtype: 'int32' }))).toMatchInlineSnapshot(
      `"DTypeError: arange: start 0 and step 0.5 cannot be stored as int32. Ask for { dtype: 'float32' }."`,
    );
    expect(said(() => h.arange(device, 2.5))).toMatchInlineSnapshot(
      `"ValueError: arange: expected a count that is a whole number of at least 0, got 2.5."`,
    );
    expect(said(() => h.uniform(device, [2], { seed: 0.5 }))).toMatchInlineSnapshot(
      `"ValueError: uniform: expected a seed that is a whole number of 32 bits, got 0.5."`,
    );
    expect(said(() => h.parameter(ints))).toMatchInlineSnapshot(
      `"DTypeError: parameter: expected floats, got Tensor(int32 [3]). Convert it with cast(tensor, 'float32')."`,
    );
    expect(said(() => h.add(1 as never, 2 as never))).toMatchInlineSnapshot(
      `"DTypeError: add: got two plain numbers, 1 and 2. At least one operand must be a tensor: tensor(device, 1)."`,
    );
  });
});

describe('formulas that are wrong', () => {
  it('say what to write', async () => {
    const { x, bools } = await given();
    expect(
      said(() => h.elementwise('twice', (a) => ((a as never as number) * 2) as never, [x])),
    ).toMatchInlineSnapshot(
      `"ExpressionError: twice: an expression (input) was used as a plain number or text. JavaScript's operators cannot build expressions: write add(a, b) for a + b, sub, mul and div likewise; lt(a, b) for a < b, gt, le, ge; select(condition, then, otherwise) for if and ?:; and print(expression) for its text."`,
    );
    expect(
      said(() => h.elementwise('mixed', (a, b) => e.add(a, b as never), [x, bools])),
    ).toMatchInlineSnapshot(`"ExpressionError: mixed: add: expected numbers, got bool: write select(...)."`);
    expect(
      said(() => h.elementwise('steered', (a) => (e.lt(a, 0) ? a : e.neg(a)), [x])),
    ).toMatchInlineSnapshot(
      `"ExpressionError: steered: the condition lt(x0, 0) was built but is not part of the result. A condition of expressions cannot steer JavaScript: write select(condition, then, otherwise) for if and ?:, and(a, b) for a && b, or(a, b) for a || b, not(a) for !a."`,
    );
    expect(said(() => h.elementwise('stored', (a) => a, [x], { dtype: 'int32' }))).toMatchInlineSnapshot(
      `"DTypeError: stored: the formula gives a float, which cannot be stored as int32. Convert it in the formula, or the result with cast."`,
    );
    expect(
      said(() =>
        h.elementwise('named', (a, { uniforms: { x0 } }) => e.mul(a, x0), [x], { uniforms: { x0: 1 } }),
      ),
    ).toMatchInlineSnapshot(
      `"ExpressionError: named: the uniform "x0" has a name that is taken. Give it another."`,
    );
  });
});

describe('what has ended', () => {
  it('is named where it is used', async () => {
    const { device, x } = await given();
    const loss = h.sum(h.square(h.parameter(h.ones(device, [2]))));
    loss.backward();
    expect(said(() => loss.backward())).toMatchInlineSnapshot(
      `"DisposedError: backward: this graph was played before ("square" has released what it saved). Compute the loss again, or keep the graph the first time: backward({ keep: true })."`,
    );
    x.dispose();
    expect(said(() => h.add(x, 1))).toMatchInlineSnapshot(
      `"DisposedError: add: got Tensor(float32 [2, 3], disposed). Use a tensor before it is disposed; a scope disposes what it does not return or keep."`,
    );
    expect(said(() => x.reshape([6]))).toMatchInlineSnapshot(
      `"DisposedError: reshape: got Tensor(float32 [2, 3], disposed). Use a tensor before it is disposed; a scope disposes what it does not return or keep."`,
    );
    await expect(x.read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DisposedError: read: got Tensor(float32 [2, 3], disposed). Use a tensor before it is disposed; a scope disposes what it does not return or keep.]`,
    );
    expect(said(() => h.scope(device, async () => x))).toMatchInlineSnapshot(
      `"DisposedError: scope: expected a function that returns at once, got one that returns a promise; its tensors would be disposed before it goes on. Write \`using work = openScope(device)\` in the async function, and \`work.keep(result)\`."`,
    );
    await device.close();
    expect(said(() => h.ones(device, [1]))).toMatchInlineSnapshot(
      `"DisposedError: ones: the device "reference" was closed. Open another with openDevice(...)."`,
    );
  });
});

describe('gradients that cannot be had', () => {
  it('say why', async () => {
    const { device, x, ints } = await given();
    const w = h.parameter(h.ones(device, [2]));
    const y = h.square(w);
    expect(said(() => x.backward())).toMatchInlineSnapshot(
      `"GradientError: backward: Tensor(float32 [2, 3]) does not depend on anything tracked. Mark what to differentiate with parameter(tensor), and compute with it outside withoutGradients. Gradients themselves are not tracked: gradients of gradients are not available."`,
    );
    expect(said(() => y.backward())).toMatchInlineSnapshot(
      `"ShapeError: backward: expected a tensor of one element, got Tensor(float32 [2], tracked). Reduce it first (sum(...), mean(...)), or pass the gradient of what you go on to compute, of shape [2]."`,
    );
    expect(said(() => y.backward(h.ones(device, [3])))).toMatchInlineSnapshot(
      `"ShapeError: backward: expected a gradient of shape [2], as the tensor, got [3]."`,
    );
    expect(said(() => y.backward(h.ones(device, [2], { dtype: 'float64' }) as never))).toMatchInlineSnapshot(
      `"DTypeError: backward: expected a gradient of float32, as the tensor, got float64. Convert it with cast(gradient, 'float32')."`,
    );
    expect(said(() => y.backward(w))).toMatchInlineSnapshot(
      `"GradientError: backward: the gradient passed in is tracked, but backward is not itself recorded: gradients of gradients are not available. Pass gradient.detach()."`,
    );
    expect(said(() => h.parameter(y))).toMatchInlineSnapshot(
      `"GradientError: parameter: expected a leaf, got Tensor(float32 [2], tracked), the result of recorded operations. Pass tensor.detach()."`,
    );
    expect(said(() => y.assign(w))).toMatchInlineSnapshot(
      `"GradientError: assign: expected a leaf, got Tensor(float32 [2], tracked), the result of recorded operations. Assign to the parameter itself."`,
    );
    expect(said(() => w.assign(h.ones(device, [3])))).toMatchInlineSnapshot(
      `"ShapeError: assign: expected [2], got [3]; a tensor keeps its shape."`,
    );
    expect(said(() => h.gradients((a: h.Tensor) => h.sum(a))(w))).toMatchInlineSnapshot(
      `"GradientError: gradients: argument 1 is tracked already, and gradients of gradients are not available. Pass tensor.detach(), or use backward() and read its gradient."`,
    );
    expect(said(() => h.gradients((a: h.Tensor) => h.sum(a))(ints))).toMatchInlineSnapshot(
      `"DTypeError: gradients: expected floats to differentiate by, got Tensor(int32 [3]) as argument 1. Let the function close over it instead."`,
    );
    expect(
      said(() => h.record(device, { name: 'twice', inputs: [w], outputs: [y], vjp: () => [null] })),
    ).toMatchInlineSnapshot(
      `"GradientError: twice: expected fresh results to record, got Tensor(float32 [2], tracked), which has a gradient already. Compute results inside withoutGradients(device, () => ...)."`,
    );
  });
});
