/** Names in a shader: those of locals and buffers, made into identifiers of WGSL that nothing else has. */
import type { Buffer, Local } from "../../core/ir/types.js";

const words = (text: string): string[] => text.trim().split(/\s+/);

/** https://www.w3.org/TR/WGSL/#keyword-summary and #reserved-words, and what shaders here use by name. */
const taken = new Set([
  ...words(`alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if
    let loop override requires return struct switch true var while`),
  ...words(`NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch
    class co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval
    constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends
    extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import
    inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new
    nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of operator package
    packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public readonly ref regardless
    register reinterpret_cast require resource restrict self set shared sizeof smooth snorm static static_assert static_cast
    std subroutine super target template this thread_local throw trait try type typedef typeid typename typeof union unless
    unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield`),
  ...words(`bool f16 f32 i32 u32 vec2 vec3 vec4 array atomic ptr abs floor ceil trunc round sqrt min max select bitcast
    countLeadingZeros countOneBits atomicLoad atomicStore atomicAdd atomicMin atomicMax atomicAnd atomicOr
    atomicCompareExchangeWeak workgroupBarrier storageBarrier main workgroup invocation unknown zero negative_zero infinity
    negative_infinity not_a_number`),
  ...["is_nan", "min_float", "max_float", "to_i32", "to_u32", "round_f16"].flatMap((f) => [
    f,
    `${f}2`,
    `${f}4`,
  ]),
]);

export class Names {
  private readonly used = new Set(taken);
  private readonly ofObject = new Map<Local | Buffer, string>();
  /** By stem the next number to try. */
  private readonly next = new Map<string, number>();

  /** @param plain names say nothing, so that they depend on nothing but the order in which they are asked for. */
  constructor(private readonly plain = false) {}

  /** The name of a local or a buffer; the same each time. */
  of(x: Local | Buffer): string {
    let name = this.ofObject.get(x);
    if (name === undefined) {
      name = this.fresh(this.plain ? ("dtype" in x ? "b" : "x") : x.name);
      this.ofObject.set(x, name);
    }
    return name;
  }

  has(x: Local): boolean {
    return this.ofObject.has(x);
  }

  /** A name that is not taken yet, as close to the wish as WGSL allows. */
  fresh(wish: string): string {
    const plain = wish.replace(/\W/g, "_").replace(/^_+/, "");
    const stem = /^[A-Za-z]/.test(plain) ? plain : `v${plain}`;
    const numbered = (n: number): string => (n === 0 ? stem : `${stem}_${n}`);
    let n = this.next.get(stem) ?? 0;
    while (this.used.has(numbered(n))) n++;
    this.next.set(stem, n + 1);
    const name = numbered(n);
    this.used.add(name);
    return name;
  }
}
