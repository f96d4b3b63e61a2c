/**
 * Half precision (IEEE 754 binary16) in arithmetic of single precision: functions of a module that convert and round,
 * for one number and for four. They are written in the kernel IR, so that one text serves both.
 */
import {
  abs,
  add,
  and,
  bitcast,
  constant,
  ge,
  get,
  gt,
  max,
  min,
  mul,
  or,
  select,
  shl,
  shr,
  sub,
} from "../../core/ir/ops.js";
import { type Expr, type Lanes, Local, type ScalarType } from "../../core/ir/types.js";
import type { WasmFunction } from "./module.js";

/** A function of one argument: it names values, one after the other, and then gives its result. */
export interface Helper {
  readonly name: string;
  readonly param: Local;
  readonly steps: readonly { readonly local: Local; readonly value: Expr }[];
  readonly result: Expr;
}

/** Gives the functions of half precision to those who print code, and adds them to the module when first asked. */
export class HalfFunctions {
  private readonly known = new Map<string, WasmFunction>();

  constructor(private readonly print: (helper: Helper) => WasmFunction) {}

  private find(lanes: Lanes, make: (lanes: Lanes) => Helper): WasmFunction {
    const key = `${make.name}${lanes}`;
    let found = this.known.get(key);
    if (found === undefined) {
      found = this.print(make(lanes));
      this.known.set(key, found);
    }
    return found;
  }

  /** The number with 16 bits that are given as a u32. */
  fromBits(lanes: Lanes): WasmFunction {
    return this.find(lanes, halfFromBits);
  }

  /** The 16 bits (as a u32) of the number of half precision that is nearest to an f32. */
  toBits(lanes: Lanes): WasmFunction {
    return this.find(lanes, halfToBits);
  }

  /** The number of half precision that is nearest to an f32, as an f32. */
  round(lanes: Lanes): WasmFunction {
    return this.find(lanes, roundToHalf);
  }
}

/** Builds a helper; `name` gives a value that is used more than once a name. */
function helper(
  name: string,
  type: ScalarType,
  lanes: Lanes,
  body: (x: Expr, name: (name: string, value: Expr) => Expr) => Expr,
): Helper {
  const param = new Local("x", type, lanes);
  const steps: { local: Local; value: Expr }[] = [];
  const result = body(get(param), (text, value) => {
    const local = new Local(text, value.type, lanes);
    steps.push({ local, value });
    return get(local);
  });
  return { name: lanes === 1 ? name : `${name}x${lanes}`, param, steps, result };
}

const signBit = 0x80000000;

/**
 * |x| (at least 65536, if it is beyond the range) with the precision of a half. Adding and taking away 2^(e+13), for a
 * number with exponent e, leaves 10 bits behind its binary point and rounds as the hardware does: to nearest, ties to even.
 * The exponent is at least -14, below which halves are as far apart as there.
 */
function roundedMagnitude(x: Expr, name: (name: string, value: Expr) => Expr): Expr {
  const magnitude = name("magnitude", abs(x));
  const power = bitcast("f32", and(bitcast("u32", magnitude), 0x7f800000));
  const shift = name("shift", mul(min(max(power, 2 ** -14), 2 ** 15), 2 ** 13));
  return sub(add(magnitude, shift), shift);
}

function roundToHalf(lanes: Lanes): Helper {
  return helper("round_to_half", "f32", lanes, (x, name) => {
    const rounded = name("rounded", roundedMagnitude(x, name));
    const bounded = select(gt(rounded, 65504), constant("f32", Infinity, lanes), rounded);
    return bitcast("f32", or(bitcast("u32", bounded), and(bitcast("u32", x), signBit)));
  });
}

/**
 * 2^-112 is the ratio of the two formats' scales: multiplied by it a half has its own bits in front of those of a float,
 * denormal numbers included. 65536 then has the bits of infinity, and NaN keeps bits that are one for a half.
 */
function halfToBits(lanes: Lanes): Helper {
  return helper("half_to_bits", "f32", lanes, (x, name) => {
    const scaled = mul(min(roundedMagnitude(x, name), 65536), 2 ** -112);
    const bits = and(shr(bitcast("u32", scaled), 13), 0x7fff);
    return or(bits, and(shr(bitcast("u32", x), 16), 0x8000));
  });
}

/** The same way back: what comes out as 65536 or more was infinity or NaN, and needs the exponent of those. */
function halfFromBits(lanes: Lanes): Helper {
  return helper("half_from_bits", "u32", lanes, (x, name) => {
    const scaled = name("scaled", mul(bitcast("f32", shl(and(x, 0x7fff), 13)), 2 ** 112));
    const exponent = select(ge(scaled, 65536), constant("u32", 0x7f800000, lanes), constant("u32", 0, lanes));
    return bitcast("f32", or(or(bitcast("u32", scaled), exponent), shl(and(x, 0x8000), 16)));
  });
}
