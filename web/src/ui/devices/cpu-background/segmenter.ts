/** MediaPipe's model of selfies on TensorFlow Lite in WebAssembly: where in a picture is the person? */
import createModule, {
  type TfLite,
} from "@twilio/video-processors/dist/build/tflite-simd-1-0-0.js";
import type { GridPicture } from "./blur.ts";
import { GRID_CELLS, GRID_HEIGHT, GRID_WIDTH } from "./grid.ts";
import type { ColourSpace } from "./i420.ts";

const MODEL = "selfie_segmentation_landscape.tflite";

export class Segmenter {
  readonly #module: TfLite;

  private constructor(module: TfLite) {
    this.#module = module;
  }

  /** From the files in a folder of the page (`copy-files.js`). */
  static async load(files: string): Promise<Segmenter> {
    const [module, model] = await Promise.all([
      createModule({ locateFile: (name) => files + name }),
      fetch(files + MODEL).then((response) => {
        if (!response.ok) throw new Error(`${MODEL}: status ${response.status}`);
        return response.arrayBuffer();
      }),
    ]);
    module.HEAPU8.set(new Uint8Array(model), module._getModelBufferMemoryOffset());
    module._loadModel(model.byteLength);
    if (module._getInputWidth() !== GRID_WIDTH || module._getInputHeight() !== GRID_HEIGHT) {
      throw new Error("the model is of another size");
    }
    return new Segmenter(module);
  }

  /** Probabilities that a cell shows a person. Valid until the next call. */
  run(picture: GridPicture, { matrix, fullRange }: ColourSpace): Float32Array {
    // Its memory may grow, which replaces these views.
    const module = this.#module;
    const start = module._getInputMemoryOffset() / 4;
    const input = module.HEAPF32.subarray(start, start + 3 * GRID_CELLS);
    const [scale, black] = fullRange ? [1 / 255, 0] : [1 / 219, 16];
    const chromaScale = fullRange ? 1 / 255 : 1 / 224;
    const [vToRed, uToGreen, vToGreen, uToBlue] =
      matrix === "bt709" ? [1.5748, 0.1873, 0.4681, 1.8556] : [1.402, 0.3441, 0.7141, 1.772];
    for (let i = 0; i < GRID_CELLS; i++) {
      const y = ((picture.y[i] as number) - black) * scale;
      const u = ((picture.u[i] as number) - 128) * chromaScale;
      const v = ((picture.v[i] as number) - 128) * chromaScale;
      input[3 * i] = unit(y + v * vToRed);
      input[3 * i + 1] = unit(y - u * uToGreen - v * vToGreen);
      input[3 * i + 2] = unit(y + u * uToBlue);
    }
    module._runInference();
    const output = module._getOutputMemoryOffset() / 4;
    return module.HEAPF32.subarray(output, output + GRID_CELLS);
  }
}

const unit = (value: number): number => (value < 0 ? 0 : value > 1 ? 1 : value);
