declare module "@twilio/video-processors/dist/build/tflite-simd-1-0-0.js" {
  export interface TfLite {
    readonly HEAPU8: Uint8Array;
    readonly HEAPF32: Float32Array;
    _getModelBufferMemoryOffset(): number;
    _loadModel(bytes: number): void;
    _getInputMemoryOffset(): number;
    _getInputWidth(): number;
    _getInputHeight(): number;
    _getOutputMemoryOffset(): number;
    _runInference(): void;
  }
  export default function createModule(options: {
    locateFile: (name: string) => string;
  }): Promise<TfLite>;
}
