/** Elements between JavaScript and the memory of the GPU, where bool and uint8 take a word each (see wgslMemory.ts). */
import { allocate, type DType, type TypedArray } from "../../core/dtype.js";
import { DtypeError } from "../../core/errors.js";

/** Bytes of one element on the GPU. */
export function bytesOf(dtype: DType, float16: boolean): number {
  if (dtype === "float64")
    throw new DtypeError('WebGPU has no float64: use float32 (x.astype("float32")), or the device "wasm"');
  return dtype === "float16" && float16 ? 2 : 4;
}

/** Bytes to bind for so many elements: whole vectors of four words, and never none. */
export const bindingBytes = (dtype: DType, size: number, float16: boolean): number =>
  Math.max(1, Math.ceil((bytesOf(dtype, float16) * size) / 16)) * 16;

/** What to write to the GPU: not shared, and whole words. Elements are as `allocate` makes them. */
export function toGpu(dtype: DType, values: TypedArray, float16: boolean): Uint8Array<ArrayBuffer> {
  if (bytesOf(dtype, float16) === 2) return new Uint8Array(float16Words(values).buffer);
  const words = values.BYTES_PER_ELEMENT === 4 && isPlain(values) ? values : wordsOf(values);
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

type Plain = TypedArray & { readonly buffer: ArrayBuffer };

/** Dawn in Node crashes when it is given memory that threads share. */
const isPlain = (values: TypedArray): values is Plain => values.buffer instanceof ArrayBuffer;

function wordsOf(values: TypedArray): Plain {
  if (values instanceof Float32Array) return new Float32Array(values) as Plain;
  return (values instanceof Int32Array ? new Int32Array(values) : new Uint32Array(values)) as Plain;
}

/** The elements that were read from the GPU. */
export function fromGpu(dtype: DType, size: number, bytes: ArrayBuffer, float16: boolean): TypedArray {
  if (bytesOf(dtype, float16) === 2) return float16Values(new Uint16Array(bytes, 0, size));
  switch (dtype) {
    case "float32":
    case "float16":
      return new Float32Array(bytes, 0, size);
    case "int32":
      return new Int32Array(bytes, 0, size);
    case "uint32":
      return new Uint32Array(bytes, 0, size);
    default: {
      const values = allocate(dtype, size);
      values.set(new Uint32Array(bytes, 0, size));
      return values;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// float16 (IEEE 754 binary16: 1 sign bit, 5 of the exponent, 10 of the fraction)
// ---------------------------------------------------------------------------------------------------------------------

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Numbers that float16 has, two to a word. */
function float16Words(values: TypedArray): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(2 * Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    float[0] = x;
    const sign = (bits[0] >>> 16) & 0x8000;
    const magnitude = Math.abs(x);
    if (Number.isNaN(x)) halves[i] = 0x7e00;
    else if (magnitude === Infinity) halves[i] = sign | 0x7c00;
    else if (magnitude < 2 ** -14) halves[i] = sign | (magnitude * 2 ** 24);
    else halves[i] = sign | (((bits[0] & 0x7fffffff) >>> 13) - (112 << 10));
  }
  return halves;
}

function float16Values(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const exponent = (halves[i] >>> 10) & 31;
    const fraction = halves[i] & 1023;
    const sign = halves[i] & 0x8000 ? -1 : 1;
    if (exponent === 31) values[i] = fraction === 0 ? sign * Infinity : Number.NaN;
    else if (exponent === 0) values[i] = sign * fraction * 2 ** -24;
    else values[i] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return values;
}
