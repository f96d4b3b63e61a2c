/** Elements of a dtype in the memory of the device, seen from JavaScript. float16 is another matter: see halves.ts. */
import { allocate, type DType, itemSize, type TypedArray } from "../../core/dtype.js";
import type { Heap, Views } from "./memory.js";

/** The view of the memory that has elements as JavaScript keeps them: float16 is kept in float32 words. */
const viewOf: Record<DType, keyof Views> = {
  float64: "f64",
  float32: "f32",
  float16: "f32",
  int32: "i32",
  uint32: "u32",
  uint8: "u8",
  bool: "u8",
  float0: "u8",
};

type Make = new (buffer: ArrayBufferLike, address: number, size: number) => TypedArray;

const constructors: Record<keyof Views, Make> = {
  f64: Float64Array,
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
};

/** Bytes of elements as JavaScript keeps them. */
export const hostBytes = (dtype: DType, size: number): number =>
  dtype === "float16" ? size * 4 : size * itemSize(dtype);

/** Elements that are in the memory, without a copy. */
export function viewElements(heap: Heap, dtype: DType, address: number, size: number): TypedArray {
  if (size === 0 || dtype === "float0") return allocate(dtype, 0);
  const key = viewOf[dtype];
  return new constructors[key](heap.views[key].buffer, address, size);
}

/** A copy of elements that are in the memory. */
export function readElements(heap: Heap, dtype: DType, address: number, size: number): TypedArray {
  if (dtype === "float0") return allocate(dtype, 0);
  const all = heap.views[viewOf[dtype]];
  const start = address / all.BYTES_PER_ELEMENT;
  if (size > 16) return all.slice(start, start + size);
  const values = allocate(dtype, size);
  for (let i = 0; i < size; i++) values[i] = all[start + i];
  return values;
}

/** Copies elements into the memory. */
export function writeElements(heap: Heap, dtype: DType, address: number, values: TypedArray): void {
  const all = heap.views[viewOf[dtype]];
  const start = address / all.BYTES_PER_ELEMENT;
  if (values.length > 16) all.set(values, start);
  else for (let i = 0; i < values.length; i++) all[start + i] = values[i];
}
