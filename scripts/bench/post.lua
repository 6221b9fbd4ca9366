-- wrk: POST one small build job, again and again.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{"type":"build","priority":5,"data":{"chatId":"chat-123","projectFiles":{"package.json":"{\"name\":\"x\",\"scripts\":{\"build\":\"true\"}}","src/index.js":"console.log(1)"}}}]]
