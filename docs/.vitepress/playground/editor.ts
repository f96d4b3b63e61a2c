/** The editor: CodeMirror, and a mark on a line with a mistake. The language comes later. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  defaultHighlightStyle,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { Compartment, EditorState, type Extension, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from "@codemirror/view";

const mark = StateEffect.define<number | undefined>();
const marked = Decoration.line({ class: "cm-mistake" });

/** The line with a mistake, until the text changes. */
const mistake = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(decorations, transaction) {
    let result = transaction.docChanged ? Decoration.none : decorations;
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      const line = effect.value;
      const known = line !== undefined && line >= 1 && line <= transaction.state.doc.lines;
      result = known ? Decoration.set(marked.range(transaction.state.doc.line(line).from)) : Decoration.none;
    }
    return result;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** The default colours are for white paper; in the dark their lightness is turned around. */
const colours = HighlightStyle.define(
  defaultHighlightStyle.specs.map((spec) =>
    typeof spec.color === "string"
      ? { ...spec, color: `light-dark(${spec.color}, oklch(from ${spec.color} 0.8 c h))` }
      : spec,
  ),
);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--vp-code-block-bg)", color: "var(--vp-c-text-1)", fontSize: "14px" },
  ".cm-content": { fontFamily: "var(--vp-font-family-mono)", caretColor: "var(--vp-c-text-1)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--vp-c-text-3)", border: "none" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--vp-c-default-soft)" },
  "&.cm-focused": { outline: "2px solid var(--vp-c-brand-1)" },
  ".cm-cursor": { borderLeftColor: "var(--vp-c-text-1)" },
  ".cm-selectionBackground": { backgroundColor: "var(--vp-c-default-3) !important" },
  ".cm-mistake": { backgroundColor: "var(--vp-c-danger-soft) !important" },
});

const language = new Compartment();

export interface Editor {
  readonly text: string;
  /** Replaces all text, as one step that can be undone. */
  show(text: string): void;
  markLine(line: number | undefined): void;
  /** Gives the text its colours. */
  read(as: Extension): void;
  close(): void;
}

export function openEditor(parent: HTMLElement, text: string, changed: (text: string) => void): Editor {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        // Escape, then Tab, leaves the editor for who has no mouse.
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        language.of([]),
        syntaxHighlighting(colours),
        look,
        mistake,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "The function f, in TypeScript" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    show: (shown) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: shown } }),
    markLine: (line) => view.dispatch({ effects: mark.of(line) }),
    read: (as) => view.dispatch({ effects: language.reconfigure(as) }),
    close: () => view.destroy(),
  };
}
