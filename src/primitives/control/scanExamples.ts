/** Applications of scan that together reach every branch of its rules, for the laws. */
import type { NDArray } from "../../core/array.js";
import { type Aval, aval } from "../../core/aval.js";
import { buildJaxpr } from "../../core/build.js";
import type { Example } from "../../core/primitive.js";
import { convertElementType } from "../cast.js";
import { add } from "../elementwise.js";
import { mul } from "../field.js";
import { tanh } from "../hyperbolic.js";
import { reshape } from "../shape.js";
import { cos, sin } from "../trigonometric.js";
import type { ScanParams } from "./scanParams.js";
import type { BindScan } from "./scanRules.js";

interface Sketch {
  readonly consts?: readonly Aval[];
  readonly carry?: readonly Aval[];
  /** Types of single entries. */
  readonly xs?: readonly Aval[];
  readonly length: number;
  readonly reverse?: boolean;
  readonly unroll?: number;
  readonly body: (...inputs: NDArray[]) => readonly NDArray[];
}

const f64 = (...shape: number[]): Aval => aval(shape, "float64");
const counter = aval([], "int32");

function paramsOf({
  consts = [],
  carry = [],
  xs = [],
  length,
  reverse = false,
  unroll = 1,
  body,
}: Sketch): ScanParams {
  const jaxpr = buildJaxpr("scan", [...consts, ...carry, ...xs], (inputs) => body(...inputs));
  return { jaxpr, length, reverse, unroll, consts: consts.length, carries: carry.length };
}

function exampleOf(sketch: Sketch): Example {
  const { consts = [], carry = [], xs = [], length } = sketch;
  const avals = [...consts, ...carry, ...xs.map((x) => aval([length, ...x.shape], x.dtype))];
  return { avals, params: paramsOf(sketch), domain: avals.map(() => [-1, 1] as const) };
}

/** A recurrent cell: a constant that is the same in every step, work on it that need not be repeated, and results. */
const cell = (w: NDArray, h: NDArray, x: NDArray): NDArray[] => {
  const next = tanh(add(mul(sin(w), h), x));
  return [next, mul(next, h)];
};

const toFloat = (i: NDArray): NDArray => convertElementType(i, "float64");

export function scanExamples(bindScan: BindScan): Example[] {
  const inner = paramsOf({ consts: [f64()], carry: [f64(2)], length: 2, body: (w, h) => [sin(mul(w, h))] });
  return [
    exampleOf({ consts: [f64()], carry: [f64(2)], xs: [f64(2)], length: 3, body: cell }),
    exampleOf({ consts: [f64()], carry: [f64(2)], xs: [f64(2)], length: 3, reverse: true, body: cell }),
    exampleOf({ consts: [f64()], carry: [f64(2)], xs: [f64(2)], length: 0, body: cell }),
    exampleOf({ consts: [f64()], carry: [f64(2)], xs: [f64(2)], length: 1, body: cell }),
    exampleOf({ consts: [f64()], carry: [f64()], xs: [f64()], length: 5, unroll: 2, body: cell }),
    exampleOf({
      consts: [f64()],
      carry: [f64()],
      xs: [f64()],
      length: 5,
      unroll: 3,
      reverse: true,
      body: cell,
    }),
    // A counter beside a float; results that do not depend on the carry.
    exampleOf({
      carry: [counter, f64()],
      xs: [f64()],
      length: 3,
      body: (i, h, x) => [add(i, 1), sin(mul(h, toFloat(i))), i, cos(x)],
    }),
    // A tangent reaches the last carry only after three steps; the first is handed on as it is.
    exampleOf({
      carry: [f64(), f64(), f64(), f64()],
      length: 4,
      body: (fixed, a, b, c) => [fixed, mul(b, fixed), c, sin(add(a, c))],
    }),
    // No carry: the same for each entry, by itself.
    exampleOf({ consts: [f64(2)], xs: [f64(2)], length: 3, body: (w, x) => [mul(cos(w), x), x, w] }),
    // Linear in all its operands, in two constants that are of different use.
    exampleOf({
      consts: [f64(), f64()],
      carry: [f64(2)],
      xs: [f64(1)],
      length: 3,
      body: (w, v, h, x) => [add(mul(h, 0.5), w), add(v, reshape(x, []))],
    }),
    // A scan in a scan.
    exampleOf({
      consts: [f64()],
      carry: [f64(2)],
      xs: [f64(2)],
      length: 2,
      body: (w, h, x) => [...bindScan(inner, [w, mul(h, x)]), h],
    }),
  ];
}
