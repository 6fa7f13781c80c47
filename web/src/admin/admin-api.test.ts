import { describe, expect, it, vi } from "vitest";
import { createAdminApi, pathOf } from "./admin-api.ts";
import { AdminError } from "./admin-error.ts";

interface Sent {
  path: string;
  init: RequestInit;
}

/** An API whose server gives this answer. */
function apiWith(answer: () => Response) {
  const sent: Sent[] = [];
  const onSignedOut = vi.fn();
  const api = createAdminApi(onSignedOut, async (path, init) => {
    sent.push({ path: String(path), init: init ?? {} });
    return answer();
  });
  return { api, sent, onSignedOut };
}

const problem = (status: number, code: string) =>
  Response.json({ status, code, detail: "words" }, { status });

describe("createAdminApi", () => {
  it("asks for what has changed, and tells that nothing has", async () => {
    const { api, sent } = apiWith(() => new Response(null, { status: 304 }));
    expect(await api.getIfChanged("/overview", '"7"')).toBeNull();
    expect(sent[0]?.path).toBe("/api/v1/overview");
    expect(sent[0]?.init.headers).toEqual({ "If-None-Match": '"7"' });
    const changed = apiWith(() => Response.json({ rooms: [] }, { headers: { etag: '"8"' } }));
    expect(await changed.api.getIfChanged("/overview", null)).toEqual({
      tag: '"8"',
      value: { rooms: [] },
    });
  });

  it("reports the end of the session, but not a wrong password", async () => {
    const { api, onSignedOut } = apiWith(() => problem(401, "unauthorized"));
    await expect(api.signIn("Ann", "wrong")).rejects.toMatchObject({ code: "unauthorized" });
    expect(onSignedOut).not.toHaveBeenCalled();
    await expect(api.get("/rooms")).rejects.toBeInstanceOf(AdminError);
    expect(onSignedOut).toHaveBeenCalledOnce();
  });

  it("turns problems, other answers and silence into errors", async () => {
    await expect(apiWith(() => problem(422, "invalid")).api.get("/x")).rejects.toMatchObject({
      status: 422,
      code: "invalid",
      message: "words",
    });
    const page = apiWith(() => new Response("<html>", { status: 502 }));
    await expect(page.api.get("/x")).rejects.toMatchObject({ status: 502, code: "unknown" });
    const silent = createAdminApi(
      () => {},
      () => Promise.reject(new TypeError("network")),
    );
    await expect(silent.get("/x")).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });

  it("returns nothing where the server has nothing to say", async () => {
    const { api, sent } = apiWith(() => new Response(null, { status: 204 }));
    expect(await api.remove(pathOf("rooms", "차 마시기", "participants", "a/b"))).toBeUndefined();
    expect(sent[0]?.init.method).toBe("DELETE");
    expect(sent[0]?.path).toBe(
      `/api/v1/rooms/${encodeURIComponent("차 마시기")}/participants/a%2Fb`,
    );
  });
});
