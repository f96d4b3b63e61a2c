/**
 * Arrays. `NDArray` is what users hold: a concrete array, or a tracer that stands for one while a function is traced.
 * Both are immutable. The NumPy-like methods are installed on the prototype by numpy/methods.ts.
 */
import { type Aval, aval, describe, type Shape, sizeOf } from "./aval.js";
import type { Remote } from "./device.js";
import { allocate, type DType, settle, type TypedArray } from "./dtype.js";
import { ArgumentError, DeviceError, ShapeError } from "./errors.js";
import { formatArray } from "./format.js";
import { disposeSymbol, reclaimValues } from "./lifetime.js";
import type { ArrayMethods } from "./methods.js";

/** Nested JavaScript arrays of numbers or booleans. */
export type NestedNumbers = number | boolean | readonly NestedNumbers[];

// The methods are installed by numpy/methods.ts, which every entry point of the package loads; merging the class with
// this interface is how it gets their types.
export interface NDArray extends ArrayMethods {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export abstract class NDArray {
  constructor(
    /** Shape, dtype and weakness. */
    readonly aval: Aval,
  ) {}

  /** The concrete array: itself, or the value of a tracer where it is known (else `ConcretizationError`). */
  abstract concrete(what?: string): ConcreteArray;

  /** Lengths of the axes; `[]` for a scalar. */
  get shape(): Shape {
    return this.aval.shape;
  }
  get dtype(): DType {
    return this.aval.dtype;
  }
  /** Whether the dtype gives way to that of another operand, as that of a JavaScript number does. */
  get weakType(): boolean {
    return this.aval.weakType;
  }
  get ndim(): number {
    return this.aval.shape.length;
  }
  /** The number of elements. */
  get size(): number {
    return sizeOf(this.aval.shape);
  }

  /** A copy of the elements in row-major order. Works on every device. */
  async data(): Promise<TypedArray> {
    const array = this.concrete("data()");
    return array.remote === undefined || array.isDisposed ? array.values.slice() : array.remote.read();
  }

  /** A copy of the elements in row-major order. */
  dataSync(): TypedArray {
    return this.concrete("dataSync()").values.slice();
  }

  /** The only element, as a number (or a boolean, for dtype bool). */
  item(): number | boolean {
    const { values, dtype } = this.concrete("item()");
    if (values.length !== 1)
      throw new ShapeError(`item() needs an array of one element, got ${describe(this.aval)}`);
    return dtype === "bool" ? values[0] !== 0 : values[0];
  }

  /** The elements as nested JavaScript arrays; a scalar gives a number (or a boolean). */
  tolist(): NestedNumbers {
    const { values, dtype, shape } = this.concrete("tolist()");
    const convert = (i: number): number | boolean => (dtype === "bool" ? values[i] !== 0 : values[i]);
    let level: NestedNumbers[] = Array.from({ length: values.length }, (_, i) => convert(i));
    if (shape.length === 0) return level[0];
    for (let axis = shape.length - 1; axis > 0; axis--) {
      const width = shape[axis];
      const count = sizeOf(shape.slice(0, axis));
      const rows: NestedNumbers[] = [];
      for (let r = 0; r < count; r++) rows.push(level.slice(r * width, (r + 1) * width));
      level = rows;
    }
    return level;
  }

  /**
   * Gives the memory of the elements back at once, instead of when the garbage collector finds that nobody holds the
   * array. Whoever uses it afterwards gets a `DeviceError`. A traced array has no memory: nothing happens.
   *
   * @example
   * const x = np.ones([1000]);
   * x.dispose();
   * x.isDisposed; // true
   */
  dispose(): void {}

  /** What `using x = ...` calls at the end of the block: `dispose`. */
  [disposeSymbol](): void {
    this.dispose();
  }

  /** Whether the array has been disposed of. */
  get isDisposed(): boolean {
    return false;
  }

  /**
   * Operators do not see arrays: `x + 1` would quietly turn a traced array into a number and lose its derivative.
   * Template strings and `String(x)` still work.
   */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new ArgumentError(
      `an array (${describe(this.aval)}) was used with a JavaScript operator; use methods (x.add(y), x.greater(0)), or x.item() for its value`,
    );
  }

  abstract toString(): string;

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** An array whose elements are in memory, in row-major order without gaps. */
export class ConcreteArray extends NDArray {
  private host: TypedArray | undefined;
  /** Where the elements are, if JavaScript cannot reach them. @internal */
  readonly remote: Remote | undefined;
  private disposed = false;
  /** How many arrays have these very elements, where it is more than one. */
  private sharers: { count: number } | undefined = undefined;

  constructor(values: TypedArray | Remote, aval: Aval) {
    super(aval);
    const here = ArrayBuffer.isView(values);
    this.host = here ? values : undefined;
    this.remote = here ? undefined : values;
  }

  /** The same elements as an array of another type: of as many elements, and of the same dtype. @internal */
  alias(type: Aval): ConcreteArray {
    const other = new ConcreteArray(this.remote ?? this.values, type);
    this.sharers ??= { count: 1 };
    this.sharers.count += 1;
    other.sharers = this.sharers;
    return other;
  }

  /** Whether another array has these very elements. @internal */
  get isShared(): boolean {
    return this.sharers !== undefined && this.sharers.count > 1;
  }

  /** The elements themselves: not to be written to. Throws `DeviceError` if they are not in JavaScript's reach. */
  get values(): TypedArray {
    if (this.host !== undefined) return this.host;
    throw this.unreachable();
  }

  private unreachable(): DeviceError {
    const what = `this array (${describe(this.aval)})`;
    return new DeviceError(
      this.disposed
        ? `${what} has been disposed of: its elements are gone`
        : `the elements of ${what} are on ${this.remote?.device.name}, which cannot be read at once; use await x.data()`,
    );
  }

  override get isDisposed(): boolean {
    return this.disposed;
  }

  override dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const { host } = this;
    this.host = undefined;
    if (this.sharers !== undefined && --this.sharers.count > 0) return;
    if (host !== undefined) reclaimValues(host);
    else this.remote?.free();
  }

  /** Has the elements from now on where a device has put a copy of them. @internal */
  relocate(values: TypedArray): void {
    this.host = values;
    if (this.sharers !== undefined) this.sharers.count -= 1;
    this.sharers = undefined;
  }

  /** Gives the elements to whoever has asked for `values` before: the array is disposed of, its memory is not given back. @internal */
  surrender(): void {
    this.disposed = true;
    this.host = undefined;
  }

  override concrete(): ConcreteArray {
    return this;
  }

  override toString(): string {
    if (this.host === undefined)
      return `Array(${describe(this.aval)}, ${this.disposed ? "disposed" : `on ${this.remote?.device.name}`})`;
    return formatArray(this.values, this.aval);
  }
}

/** Whether JavaScript can read the elements at once: they are known, and not on a device that has to be waited for. */
export const isReadable = (x: NDArray): x is ConcreteArray =>
  x instanceof ConcreteArray && x.remote === undefined;

/** A concrete scalar. */
export function scalar(value: number | boolean, dtype: DType, weakType = false): ConcreteArray {
  const values = allocate(dtype, 1);
  values[0] = dtype === "bool" ? Number(Boolean(value)) : Number(value);
  if (dtype === "float16") settle(dtype, values);
  return new ConcreteArray(values, aval([], dtype, weakType));
}

/** The weak-typed scalar that a bare JavaScript number or boolean stands for. */
export function weakScalar(value: number | boolean): ConcreteArray {
  if (typeof value === "boolean") return scalar(value, "bool");
  const fits =
    Number.isInteger(value) && value >= -2147483648 && value <= 2147483647 && !Object.is(value, -0);
  return scalar(value, fits ? "int32" : "float32", true);
}

/** A concrete array with the given elements, which are converted and rounded to the dtype. */
export function concreteArray(
  elements: ArrayLike<number>,
  shape: Shape,
  dtype: DType,
  weakType = false,
): ConcreteArray {
  if (elements.length !== sizeOf(shape))
    throw new ShapeError(`${elements.length} elements do not fill shape [${shape.join(",")}]`);
  const values = allocate(dtype, elements.length);
  values.set(elements);
  return new ConcreteArray(settle(dtype, values), aval(shape, dtype, weakType));
}
