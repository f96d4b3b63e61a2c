/** Vitepress's own theme without its fonts, which would be half of what a page loads, and with our components. */
import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { defineAsyncComponent } from "vue";
import "./style.css";

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    // Nobody who only reads loads the library.
    app.component(
      "LiveModes",
      defineAsyncComponent(() => import("../live/LiveModes.vue")),
    );
    app.component(
      "Playground",
      defineAsyncComponent(() => import("../playground/Playground.vue")),
    );
  },
} satisfies Theme;
