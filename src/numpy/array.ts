/** Arrays from JavaScript values. */
import { ConcreteArray, concreteArray, NDArray, scalar, weakScalar } from "../core/array.js";
import { type Shape, sizeOf } from "../core/aval.js";
import { type DType, isFloat, promote, settle, type Typed, type TypedArray } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
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

/** A leaf of the nested lists that is an array already. */
type Leaf = NDArray | NumericArray;

/** What has been found in the lists: numbers and booleans one by one, arrays as they are. */
interface Found {
  readonly numbers: number[];
  readonly arrays: Leaf[];
  /** The types that occur, by their place in the promotion. */
  readonly types: Map<string, Typed>;
}

const strong = (dtype: DType): Typed => ({ dtype, weakType: false });

function typeOfTyped(x: object): Typed {
  const name = Object.prototype.toString.call(x).slice(8, -1);
  const dtype = dtypeOfTyped[name];
  if (dtype === undefined) throw new DtypeError(`array: there is no dtype for the elements of ${name}`);
  return strong(dtype);
}

const isTyped = (x: object): x is NumericArray => ArrayBuffer.isView(x);

/** Reads a value into what has been found so far; returns its shape. */
function collect(x: Nested, found: Found): Shape {
  if (typeof x === "number" || typeof x === "boolean") {
    const { dtype } = weakScalar(x);
    found.types.set(dtype, strong(dtype));
    found.numbers.push(Number(x));
    return [];
  }
  if (x instanceof NDArray) {
    found.types.set(`${x.dtype}${x.weakType}`, x.aval);
    found.arrays.push(x);
    return x.shape;
  }
  if (typeof x !== "object" || x === null)
    throw new ArgumentError(`array takes numbers, booleans, arrays and lists of them, got ${x === null ? "null" : `a ${typeof x}`}`);
  if (isTyped(x)) {
    const type = typeOfTyped(x);
    found.types.set(type.dtype, type);
    found.arrays.push(x);
    return [x.length];
  }
  if (!Array.isArray(x)) throw new ArgumentError("array takes numbers, booleans, arrays and lists of them, got an object");
  if (x.length === 0) return [0];
  const inner = collect(x[0], found);
  for (let i = 1; i < x.length; i++) {
    const shape = collect(x[i], found);
    if (shape.length !== inner.length || shape.some((n, d) => n !== inner[d]))
      throw new ShapeError(
        `array: a list must have elements of one shape, got [${inner.join(",")}] at index 0 and [${shape.join(",")}] at index ${i}`,
      );
  }
  return [x.length, ...inner];
}

/** The elements of nested lists without traced arrays, in row-major order. */
function flatten(x: Nested, to: number[]): void {
  if (typeof x === "number" || typeof x === "boolean") to.push(Number(x));
  else if (Array.isArray(x)) for (const y of x) flatten(y, to);
  else for (const v of x instanceof NDArray ? (x as ConcreteArray).values : (x as NumericArray)) to.push(v);
}

/** The elements as one vector; runs of numbers become constants between the arrays. */
function flatPieces(x: Nested, type: Typed): NDArray {
  const pieces: NDArray[] = [];
  let run: number[] = [];
  const endRun = (): void => {
    if (run.length > 0) pieces.push(concreteArray(run, [run.length], type.dtype));
    run = [];
  };
  const visit = (y: Nested): void => {
    if (Array.isArray(y)) y.forEach(visit);
    else if (y instanceof NDArray && !(y instanceof ConcreteArray)) {
      endRun();
      pieces.push(reshape(convertTo(y, type), [y.size]));
    } else flatten(y, run);
  };
  visit(x);
  endRun();
  return pieces.length === 1 ? pieces[0] : concatenate(pieces, 0);
}

/**
 * An array with the elements of nested lists. Without `dtype`, whole numbers give int32, any other number float32,
 * booleans bool, typed arrays their own type (Float64Array float64); a mixture is promoted, and nothing at all is
 * float32. Arrays may stand among the lists, traced ones too: then they are stacked.
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
  if (values instanceof NDArray) return dtype === undefined ? values : convertTo(values, strong(dtype));
  if (typeof values === "number" || typeof values === "boolean")
    return dtype === undefined ? weakScalar(values) : converted([Number(values)], [], dtype);
  const found: Found = { numbers: [], arrays: [], types: new Map() };
  const shape = collect(values, found);
  if (sizeOf(shape) === 0 && found.types.size === 0) return concreteArray([], shape, dtype ?? "float32");
  const joint = strong(promote([...found.types.values()]).dtype);
  if (found.arrays.some((x) => x instanceof NDArray && !(x instanceof ConcreteArray))) {
    const flat = flatPieces(values, joint);
    return reshape(dtype === undefined ? flat : convertTo(flat, strong(dtype)), shape);
  }
  const flat: ArrayLike<number> = found.arrays.length === 0 ? found.numbers : elementsOf(values);
  return converted(flat, shape, dtype ?? joint.dtype);
}

export { array as asarray };

/** A typed array is copied at once, nested lists element by element. */
function elementsOf(values: Nested): ArrayLike<number> {
  if (typeof values === "object" && isTyped(values)) return values;
  const flat: number[] = [];
  flatten(values, flat);
  return flat;
}

/**
 * Elements in a dtype. Integer dtypes take floats without their fraction, clamped to their range, and bool where they
 * are not zero: the same as `astype`.
 */
function converted(values: ArrayLike<number>, shape: Shape, dtype: DType): ConcreteArray {
  if (isFloat(dtype)) return concreteArray(values, shape, dtype);
  const isWhole = Array.prototype.every.call(values, (v: number) => Number.isInteger(v));
  if (isWhole && dtype !== "bool") return concreteArray(values, shape, dtype);
  const wide = concreteArray(values, shape, "float64");
  return convertElementType(wide, dtype).concrete();
}

/**
 * x itself, as an array: arrays are immutable, so there is nothing to copy.
 * @example
 * np.copy(np.array([1, 2])); // [1, 2]
 */
export const copy = (x: Nested): NDArray => array(x);
