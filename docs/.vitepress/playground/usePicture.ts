/** How large a picture is shown: small ones fit the width, large ones are moved about in, unless the visitor wants it otherwise. */
import { nextTick, type Ref, ref, watch } from "vue";

/** A picture that would be made smaller than this could not be read. */
const smallest = 0.65;

export function usePicture(frame: Ref<HTMLElement | undefined>, svg: () => string | undefined) {
  const whole = ref(true);
  const isLarge = ref(false);
  watch(svg, async () => {
    await nextTick();
    const picture = frame.value?.querySelector("svg");
    if (!picture || !frame.value) return;
    const scale = frame.value.clientWidth / picture.viewBox.baseVal.width;
    const before = isLarge.value;
    isLarge.value = scale < smallest;
    if (isLarge.value !== before) whole.value = !isLarge.value;
    await nextTick();
    // Graphs begin at the lower left.
    frame.value.scrollTop = frame.value.scrollHeight;
  });
  return { whole, isLarge };
}
