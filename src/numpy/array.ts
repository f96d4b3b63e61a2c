/** Arrays from JavaScript values. */
import { type ConcreteArray, concreteArray, isReadable, NDArray, weakScalar } from "../core/array.js";
import { type Shape, sameShape } from "../core/aval.js";
import { type DType, isFloat, promote, type Typed } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { withTrace } from "../core/trace.js";
import { convertElementType } from "../primitives/cast.js";
import { concatenate } from "../primitives/concatenate.js";
import { reshape } from "../primitives/shape.js";
import { convertTo } from "./operands.js";
import { type DTypeOption, dtypeOption } from "./options.js";

/** JavaScript's own arrays of numbers. */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** What `array` takes: numbers, booleans, arrays, and lists of them of any depth, all of one shape. */
export type Nested = number | boolean | NDArray | NumericArray | readonly Nested[];

/** The dtype that keeps all values of JavaScript's arrays: what there is no dtype for goes to int32. */
const dtypeOfTyped: Readonly<Record<string, DType>> = {
  Int8Array: "int32",
  Uint8Array: "uint8",
  Uint8ClampedArray: "uint8",
  Int16Array: "int32",
  Uint16Array: "int32",
  Int32Array: "int32",
  Uint32Array: "uint32",
  Float16Array: "float16",
  Float32Array: "float32",
  Float64Array: "float64",
};

/** What is known of a list before its elements are read. */
interface Found {
  readonly types: Set<Typed>;
  /** Whether there are arrays whose elements are not known. */
  /** Some elements cannot be read now. */
  elsewhere: boolean;
}

// Numbers in a list give way to arrays beside them, as they do everywhere.
const boolType: Typed = { dtype: "bool", weakType: false };
const wholeType: Typed = { dtype: "int32", weakType: true };
const floatType: Typed = { dtype: "float32", weakType: true };

/** As for a bare number: what int32 cannot hold, -0 included, is a float. */
const typeOfNumber = (x: number): Typed => ((x | 0) === x && !Object.is(x, -0) ? wholeType : floatType);

const isTyped = (x: unknown): x is NumericArray => ArrayBuffer.isView(x);

function typeOfTyped(x: NumericArray): Typed {
  const name = Object.prototype.toString.call(x).slice(8, -1);
  const dtype = dtypeOfTyped[name];
  if (dtype === undefined) throw new DtypeError(`array: there is no dtype for the elements of a ${name}`);
  return { dtype, weakType: false };
}

/** Whether the elements cannot be read now: the array is traced, or on a device that has to be waited for. */
const isElsewhere = (x: Nested): x is NDArray => x instanceof NDArray && !isReadable(x);

/** Reads the types that occur in a value; returns its shape. */
function survey(x: Nested, found: Found): Shape {
  if (typeof x === "number") {
    found.types.add(typeOfNumber(x));
    return [];
  }
  if (typeof x === "boolean") {
    found.types.add(boolType);
    return [];
  }
  if (x instanceof NDArray) {
    found.types.add(x.aval);
    found.elsewhere ||= isElsewhere(x);
    return x.shape;
  }
  if (isTyped(x)) {
    found.types.add(typeOfTyped(x));
    return [x.length];
  }
  if (!Array.isArray(x))
    throw new ArgumentError(`array takes numbers, booleans, arrays and lists of them, got ${what(x)}`);
  if (x.length === 0) return [0];
  const inner = survey(x[0], found);
  for (let i = 1; i < x.length; i++) {
    const shape = survey(x[i], found);
    if (!sameShape(shape, inner))
      throw new ShapeError(
        `array: a list needs elements of one shape, got [${inner.join(",")}] at index 0 and [${shape.join(",")}] at index ${i}`,
      );
  }
  return [x.length, ...inner];
}

const what = (x: unknown): string =>
  x === null ? "null" : typeof x === "object" ? "an object" : `a ${typeof x}`;

/** Appends the elements of a value whose elements can be read, in row-major order. */
function flatten(x: Nested, to: number[]): void {
  if (typeof x === "number" || typeof x === "boolean") to.push(Number(x));
  else if (Array.isArray(x)) for (const y of x) flatten(y, to);
  else for (const v of x instanceof NDArray ? x.concrete().values : (x as NumericArray)) to.push(v);
}

/** The elements as one vector, where some arrays cannot be read: what stands between these are constants. */
function joined(values: Nested, dtype: DType): NDArray {
  const pieces: NDArray[] = [];
  let run: number[] = [];
  const endRun = (): void => {
    if (run.length > 0) pieces.push(converted(run, [run.length], dtype));
    run = [];
  };
  const visit = (x: Nested): void => {
    if (Array.isArray(x)) x.forEach(visit);
    else if (isElsewhere(x)) {
      endRun();
      pieces.push(reshape(convertTo(x, { dtype, weakType: false }), [x.size]));
    } else flatten(x, run);
  };
  visit(values);
  endRun();
  return pieces.length === 1 ? pieces[0] : concatenate(pieces, 0);
}

/**
 * The dtype of a list. Numbers alone are float32, whole or not: JavaScript does not tell 1 from 1.0, and a dtype that
 * depended on the values would change under a user's feet. Beside arrays whole numbers keep the dtype of the arrays.
 */
function commonDType(types: ReadonlySet<Typed>): DType {
  if (types.size === 0) return "float32";
  const { dtype, weakType } = promote([...types]);
  return weakType && !isFloat(dtype) ? "float32" : dtype;
}

/**
 * An array with the elements of nested lists. Without `dtype`, numbers give float32 (whole ones too: ask for "int32" if
 * you want integers), booleans bool, typed arrays their own type (Float64Array float64); nothing at all is float32.
 * Arrays may stand among the lists, traced ones too: then they are stacked, and promoted to one dtype.
 *
 * A bare number gives a weak-typed scalar. An array is returned as it is. Also called `asarray`.
 * @throws ShapeError if lists have elements of different shapes.
 * @throws ArgumentError for anything but numbers, booleans, arrays and lists.
 * @throws DtypeError for a dtype that is none.
 * @example
 * np.array([[1, 2], [3, 4]]); // [[1, 2], [3, 4]]
 * np.array([1, 0, 2], { dtype: "bool" }); // [true, false, true]
 * np.array([np.array([1, 2]), [3, 4.5]]); // [[1, 2], [3, 4.5]]
 */
export function array(values: Nested, options?: DType | DTypeOption): NDArray {
  const dtype = dtypeOption("array", options);
  if (values instanceof NDArray)
    return dtype === undefined ? values : convertTo(values, { dtype, weakType: false });
  if (dtype === undefined && (typeof values === "number" || typeof values === "boolean"))
    return weakScalar(values);
  const found: Found = { types: new Set(), elsewhere: false };
  const shape = survey(values, found);
  const own = commonDType(found.types);
  // A list of arrays is brought to one dtype before it goes to another.
  if (found.elsewhere)
    return reshape(convertTo(joined(values, own), { dtype: dtype ?? own, weakType: false }), shape);
  if (isTyped(values)) return converted(values, shape, dtype ?? own);
  const flat: number[] = [];
  flatten(values, flat);
  return converted(flat, shape, dtype ?? own);
}

export { array as asarray };

const isWhole = (v: number): boolean => Number.isInteger(v);

/**
 * Elements in a dtype. Integers wrap around; floats lose their fraction and are clamped to the range of integers, as
 * `astype` has it; bool is where they are not zero.
 */
function converted(values: number[] | NumericArray, shape: Shape, dtype: DType): ConcreteArray {
  if (isFloat(dtype) || (dtype !== "bool" && values.every(isWhole)))
    return concreteArray(values, shape, dtype);
  const wide = concreteArray(values, shape, "float64");
  return withTrace(undefined, () => convertElementType(wide, dtype)).concrete();
}

/**
 * x itself, as an array: arrays are immutable, so there is nothing to copy.
 * @example
 * np.copy(np.array([1, 2])); // [1, 2]
 */
export const copy = (x: Nested): NDArray => array(x);
