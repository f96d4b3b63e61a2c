/** Functions to begin with. */
import type { GraphKind } from "./protocol.js";

export interface Example {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly args: string;
  readonly graph: GraphKind;
}

export const examples: readonly Example[] = [
  {
    name: "olah",
    title: "e = (a + b)·(b + 1)",
    source: `// The graph of Olah's essay: at a = 2, b = 1 the derivatives are 2 and 5.
const f = (a, b) => {
  const c = a.add(b);
  const d = b.add(1);
  return c.mul(d);
};`,
    args: "2, 1",
    graph: "reverse",
  },
  {
    name: "product",
    title: "sin(x)·x, summed",
    source: `// Many inputs and one output: reverse mode needs one pass, forward mode one for each input.
const f = (x) => np.sum(np.sin(x).mul(x));`,
    args: "np.array([0.5, 1, 2, -3])",
    graph: "values",
  },
  {
    name: "mlp",
    title: "The loss of a perceptron",
    source: `// One hidden layer, cross-entropy and a penalty: the gradient has the shape of the parameters.
import { nn, numpy as np } from "fluxion";

const f = ({ W1, W2 }, x, y) => {
  const h = nn.relu(x.matmul(W1.T));
  const o = h.matmul(W2.T);
  const L = np.mean(np.sum(nn.logSoftmax(o).mul(y), { axis: -1 })).neg();
  const s = np.sum(np.square(W1)).add(np.sum(np.square(W2))).mul(1e-4 / 2);
  return L.add(s);
};`,
    args: `{ W1: float32[256,784], W2: float32[10,256] }, float32[50,784], float32[50,10]`,
    graph: "plain",
  },
  {
    name: "banded",
    title: "A banded map, Rⁿ → Rⁿ",
    source: `// Every output needs three neighbours. The Jacobian is banded, and jacobian(f) needs three passes for all of it.
const f = (x) => {
  const [left, middle, right] = [x.slice(":-2"), x.slice("1:-1"), x.slice("2:")];
  return np.sin(middle).mul(left).add(np.square(right));
};`,
    args: "np.linspace(0, 1, 12)",
    graph: "plain",
  },
  {
    name: "curve",
    title: "A curve, R → Rⁿ",
    source: `// One input and many outputs: forward mode needs one pass.
const f = (t) => np.sin(t.mul(np.arange(8, { dtype: "float32" })));`,
    args: "0.3",
    graph: "values",
  },
  {
    name: "scan",
    title: "A loop: scan",
    source: `// A pendulum, thirty steps of it. The loop is one equation, in both modes.
const f = (angle, speed) => {
  const step = ([q, p]) => {
    const next = p.sub(np.sin(q).mul(0.1));
    return [[q.add(next.mul(0.1)), next], null];
  };
  const [[q]] = lax.scan(step, [angle, speed], null, { length: 30 });
  return q;
};`,
    args: "1, 0",
    graph: "plain",
  },
  {
    name: "rule",
    title: "A rule of your own",
    source: `// log(1 + exp(x)) with a derivative that does not overflow. Without the rule it is nan here.
const f = customJvp((x) => np.log1p(np.exp(x)));
f.defJvp(([x], [t]) => {
  const slope = np.subtract(1, np.divide(1, np.add(1, np.exp(x))));
  return [f(x), slope.mul(t)];
});`,
    args: "99.5",
    graph: "plain",
  },
];
