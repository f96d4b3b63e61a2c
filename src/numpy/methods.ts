/**
 * The methods of arrays. Importing this file installs them on the prototype, which every entry point of the package does;
 * the type of the table makes a method that is missing an error of compilation.
 */
import { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ShapeError } from "../core/errors.js";
import type { ArrayMethods } from "../core/methods.js";
import * as arithmetic from "./arithmetic.js";
import { clip } from "./choosing.js";
import { cumprod, cumsum } from "./cumulative.js";
import { floorDivide, mod } from "./division.js";
import { astype } from "./dtypes.js";
import { exp, log } from "./exponential.js";
import { tanh } from "./hyperbolic.js";
import { at, diagonal, index, take } from "./indexing.js";
import { dot, matmul, trace } from "./linalg.js";
import * as logic from "./logic.js";
import * as manipulation from "./manipulation.js";
import { mean, std, variance } from "./moments.js";
import { power } from "./power.js";
import * as reductions from "./reductions.js";
import { round } from "./rounding.js";
import { argsort, sort } from "./sorting.js";
import { cos, sin, tan } from "./trigonometric.js";

/** Numbers given one by one, or as one list. */
const listOf = (given: readonly number[] | readonly [readonly number[]]): readonly number[] =>
  Array.isArray(given[0]) ? given[0] : (given as readonly number[]);

const methods: ArrayMethods & ThisType<NDArray> = {
  add(y) {
    return arithmetic.add(this, y);
  },
  sub(y) {
    return arithmetic.subtract(this, y);
  },
  mul(y) {
    return arithmetic.multiply(this, y);
  },
  div(y) {
    return arithmetic.divide(this, y);
  },
  mod(y) {
    return mod(this, y);
  },
  pow(y) {
    return power(this, y);
  },
  floorDivide(y) {
    return floorDivide(this, y);
  },
  neg() {
    return arithmetic.negative(this);
  },
  abs() {
    return arithmetic.abs(this);
  },
  sign() {
    return arithmetic.sign(this);
  },
  square() {
    return arithmetic.square(this);
  },
  sqrt() {
    return arithmetic.sqrt(this);
  },
  reciprocal() {
    return arithmetic.reciprocal(this);
  },
  exp() {
    return exp(this);
  },
  log() {
    return log(this);
  },
  sin() {
    return sin(this);
  },
  cos() {
    return cos(this);
  },
  tan() {
    return tan(this);
  },
  tanh() {
    return tanh(this);
  },
  round(decimals) {
    return round(this, decimals);
  },
  clip(min, max) {
    return clip(this, min, max);
  },

  equal(y) {
    return logic.equal(this, y);
  },
  notEqual(y) {
    return logic.notEqual(this, y);
  },
  less(y) {
    return logic.less(this, y);
  },
  lessEqual(y) {
    return logic.lessEqual(this, y);
  },
  greater(y) {
    return logic.greater(this, y);
  },
  greaterEqual(y) {
    return logic.greaterEqual(this, y);
  },
  logicalAnd(y) {
    return logic.logicalAnd(this, y);
  },
  logicalOr(y) {
    return logic.logicalOr(this, y);
  },
  logicalNot() {
    return logic.logicalNot(this);
  },

  sum(options) {
    return reductions.sum(this, options);
  },
  prod(options) {
    return reductions.prod(this, options);
  },
  mean(options) {
    return mean(this, options);
  },
  var(options) {
    return variance(this, options);
  },
  std(options) {
    return std(this, options);
  },
  max(options) {
    return reductions.max(this, options);
  },
  min(options) {
    return reductions.min(this, options);
  },
  all(options) {
    return reductions.all(this, options);
  },
  any(options) {
    return reductions.any(this, options);
  },
  argmax(options) {
    return reductions.argmax(this, options);
  },
  argmin(options) {
    return reductions.argmin(this, options);
  },
  cumsum(options) {
    return cumsum(this, options);
  },
  cumprod(options) {
    return cumprod(this, options);
  },

  reshape(...shape) {
    return manipulation.reshape(this, listOf(shape));
  },
  ravel() {
    return manipulation.ravel(this);
  },
  flatten() {
    return manipulation.ravel(this);
  },
  transpose(...axes) {
    return manipulation.transpose(this, axes.length === 0 ? undefined : listOf(axes));
  },
  get T() {
    return manipulation.transpose(this);
  },
  get mT() {
    return manipulation.matrixTranspose(this);
  },
  swapaxes(a, b) {
    return manipulation.swapaxes(this, a, b);
  },
  squeeze(axis) {
    return manipulation.squeeze(this, axis);
  },
  expandDims(axis) {
    return manipulation.expandDims(this, axis);
  },
  broadcastTo(shape) {
    return manipulation.broadcastTo(this, shape);
  },
  flip(axis) {
    return manipulation.flip(this, axis);
  },
  repeat(repeats, options) {
    return manipulation.repeat(this, repeats, options);
  },
  take(indices, options) {
    return take(this, indices, options);
  },
  diagonal(options) {
    return diagonal(this, options);
  },
  trace(options) {
    return trace(this, options);
  },
  sort(options) {
    return sort(this, options);
  },
  argsort(options) {
    return argsort(this, options);
  },

  dot(y) {
    return dot(this, y);
  },
  matmul(y) {
    return matmul(this, y);
  },

  astype(dtype) {
    return astype(this, dtype);
  },
  slice(...indices) {
    return index(this, indices);
  },
  at(...indices) {
    return at(this, indices);
  },
  *[Symbol.iterator]() {
    if (this.ndim === 0)
      throw new ShapeError(`an array without axes (${describe(this.aval)}) cannot be iterated over`);
    for (let i = 0; i < this.shape[0]; i++) yield index(this, [i]);
  },
};

const descriptors = Object.getOwnPropertyDescriptors(methods) as PropertyDescriptorMap;
for (const key of Reflect.ownKeys(descriptors))
  Object.defineProperty(NDArray.prototype, key, { ...descriptors[key as string], enumerable: false });
