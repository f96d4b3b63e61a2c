/** Operations that take several instructions, on operands that are on the stack. */
import type { BinaryOp, UnaryOp } from "../../core/ir/types.js";
import type { FunctionBuilder } from "./builder.js";
import type { ValueType } from "./module.js";
import { binaries, type Shape } from "./shapes.js";

/** Moves the top of the stack into a local for the time of `body`. */
export function withTemporary(f: FunctionBuilder, type: ValueType, body: (local: number) => void): void {
  const local = f.acquire(type, type === "v128" ? "vector" : "temporary");
  f.set(local);
  body(local);
  f.release(local);
}

/** `-x`, `~x` and |x| of integers, and what vectors have no instruction for. False if there is no such operation. */
export function unaryOnStack(f: FunctionBuilder, fn: UnaryOp, shape: Shape): boolean {
  if (shape === "i32" || shape === "u32") {
    if (fn === "not") {
      f.constant("i32", -1);
      f.plain("i32.xor");
      return true;
    }
    if (fn === "neg") {
      withTemporary(f, "i32", (x) => {
        f.constant("i32", 0);
        f.get(x);
        f.plain("i32.sub");
      });
      return true;
    }
    if (fn === "abs") {
      absolute(f);
      return true;
    }
  }
  if (fn === "clz" && (shape === "i32x4" || shape === "u32x4")) {
    withTemporary(f, "v128", (x) =>
      eachLane(f, (lane) => {
        f.get(x);
        f.lane("i32x4.extract_lane", lane);
        f.plain("i32.clz");
      }),
    );
    return true;
  }
  return false;
}

/** (x ^ s) - s, where s is -1 for negative numbers and else 0. */
function absolute(f: FunctionBuilder): void {
  withTemporary(f, "i32", (x) => {
    f.get(x);
    f.constant("i32", 31);
    f.plain("i32.shr_s");
    withTemporary(f, "i32", (sign) => {
      f.get(x);
      f.get(sign);
      f.plain("i32.xor");
      f.get(sign);
      f.plain("i32.sub");
    });
  });
}

/** Minima of integers, and lane by lane what vectors have no instruction for. False if there is no such operation. */
export function binaryOnStack(f: FunctionBuilder, fn: BinaryOp, shape: Shape): boolean {
  if ((shape === "i32" || shape === "u32") && (fn === "min" || fn === "max")) {
    const sign = shape === "i32" ? "s" : "u";
    withTemporary(f, "i32", (y) =>
      withTemporary(f, "i32", (x) => {
        f.get(x);
        f.get(y);
        f.get(x);
        f.get(y);
        f.plain(fn === "min" ? `i32.lt_${sign}` : `i32.gt_${sign}`, "select");
      }),
    );
    return true;
  }
  if (shape !== "i32x4" && shape !== "u32x4") return false;
  const scalar = binaries[shape === "i32x4" ? "i32" : "u32"]?.[fn];
  if (scalar === undefined) return false;
  withTemporary(f, "v128", (y) =>
    withTemporary(f, "v128", (x) =>
      eachLane(f, (lane) => {
        f.get(x);
        f.lane("i32x4.extract_lane", lane);
        f.get(y);
        f.lane("i32x4.extract_lane", lane);
        f.plain(...scalar);
      }),
    ),
  );
  return true;
}

/** A vector of four integers, each computed by itself. */
function eachLane(f: FunctionBuilder, compute: (lane: number) => void): void {
  for (let lane = 0; lane < 4; lane++) {
    compute(lane);
    if (lane === 0) f.plain("i32x4.splat");
    else f.lane("i32x4.replace_lane", lane);
  }
}
