-- wrk: POST one small build job that is not to be run before tomorrow, again and again.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{"type":"build","delayMs":86400000,"data":{"chatId":"chat-123","projectFiles":{"package.json":"{\"name\":\"x\"}","src/index.js":"console.log(1)"}}}]]
