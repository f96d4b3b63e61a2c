/** Vue's single-file components, for tsc: their scripts are compiled by vite. */
declare module "*.vue" {
  import type { DefineComponent } from "vue";

  const component: DefineComponent;
  export default component;
}
declare module "*.css";
